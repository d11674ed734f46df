// The files of the page: their paths and their addresses.
import { createHash } from 'node:crypto'
import { SCRIPT } from './script.ts'
import { ICON, STYLE } from './style.ts'

export interface Asset {
  path: string
  /** Includes a hash of the content: a browser may keep it for ever, and has it while the dashboard restarts. */
  href: string
  type: string
  text: string
}

const asset = (path: string, type: string, text: string): Asset => ({
  path,
  href: `${path}?v=${createHash('sha256').update(text).digest('hex').slice(0, 12)}`,
  type,
  text,
})

export const ASSETS = {
  style: asset('/style.css', 'text/css; charset=utf-8', STYLE),
  script: asset('/page.js', 'text/javascript; charset=utf-8', SCRIPT),
  icon: asset('/icon.svg', 'image/svg+xml', ICON),
} as const
