// A dashboard with the kinds that take files and pages, real ones, and somebody who runs their tasks when a test lets him.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Download, FileChooser, Page } from 'playwright-core'
import { DEFAULT_KIND_SETTINGS, loadKind, type NamedKind } from '../../../src/core/kind.ts'
import parse from '../../../src/kinds/parse.ts'
import thumbnails from '../../../src/kinds/thumbnails.ts'
import { typeOfBytes } from '../../../src/platform/type-of-bytes.ts'
import { inFormat, photo } from '../../kinds/thumbnails/around.ts'
import { type DashboardDoor, openDashboardDoor } from '../../support/dashboard-door.ts'
import { type RunHere, runHere } from '../../support/run-here.ts'
import { until } from '../../support/until.ts'

export interface FilesDoor extends DashboardDoor {
  worker: RunHere
}

/** @param allow as PARSE_ALLOW has it */
export const kindsOfFiles = (allow: readonly string[] = []): NamedKind[] => [
  loadKind('thumbnails', thumbnails, 'thumbnails.ts'),
  loadKind('parse', parse, 'parse.ts', { ...DEFAULT_KIND_SETTINGS, parseAllow: allow }),
]

export const openFilesDoor = async (kinds: readonly NamedKind[] = kindsOfFiles()): Promise<FilesDoor> => {
  const door = await openDashboardDoor({ fixture: { kinds, typeOf: typeOfBytes } })
  const worker = runHere(door.fixture.store, kinds)
  return {
    ...door,
    worker,
    async close() {
      await worker.close()
      await door.close()
    },
  }
}

/** A photograph that was taken with the camera on its side: 4000 x 3000 as stored, 3000 x 4000 as people see it. */
export const photograph = (): Promise<Buffer> =>
  photo(4_000, 3_000).withMetadata({ orientation: 6 }).jpeg({ quality: 80 }).toBuffer()

/** A small one, for what is not about the picture. */
export const smallPhoto = (): Promise<Buffer> => inFormat(photo(300, 200), 'jpeg')

export interface TestFiles {
  /** Writes a file and answers its path. */
  put(name: string, bytes: Uint8Array | string): string
  remove(): void
}

export const makeTestFiles = (): TestFiles => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-files-'))
  return {
    put(name, bytes) {
      const file = path.join(folder, name)
      writeFileSync(file, bytes)
      return file
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export const bytesOf = async (download: Download): Promise<Buffer> => readFile(await download.path())

/** Every download of a page, in order. */
export const noteDownloads = (page: Page): Download[] => {
  const found: Download[] = []
  page.on('download', download => found.push(download))
  return found
}

/** Presses Tab until the element has the focus. @throws Error when it never has */
export const tabTo = async (page: Page, selector: string): Promise<void> => {
  for (let turn = 0; turn < 60; turn += 1) {
    await page.keyboard.press('Tab')
    if (await page.locator(selector).evaluate(element => element === element.ownerDocument.activeElement))
      return
  }
  throw new Error(`the focus never reached ${selector}`)
}

const CHOOSER_MS = 15_000

/** Opens the browser's choice of files by the keyboard, from the element that has the focus. */
export const openChooser = async (page: Page, selector: string): Promise<FileChooser> => {
  const opened: FileChooser[] = []
  page.on('filechooser', chooser => opened.push(chooser))
  for (let turn = 0; turn < 8; turn += 1) {
    // a round trip, after which the browser tells of a choice and shows no window of its own
    await page.evaluate('0')
    await page.keyboard.press('Enter')
    await until('a file can be chosen', () => opened.length > 0, CHOOSER_MS).catch(() => {})
    const [chooser] = opened
    if (chooser) return chooser
    await page.focus(selector)
  }
  throw new Error(`no file could be chosen at ${selector}`)
}
