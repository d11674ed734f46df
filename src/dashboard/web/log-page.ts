// The last lines of a process's logs, as text.
import { html } from 'hono/html'
import { TAIL, type Tail } from '../logs.ts'
import type { LogStream } from '../processes.ts'
import { formatBytes } from './format.ts'
import { frame, type Markup } from './layout.ts'

export interface LogPane {
  stream: LogStream
  /** Null when PM2 keeps no such log. */
  tail: Tail | null
}

export interface LogPage {
  name: string
  /** PM2's number of the process; null: any process of the name. */
  instance: number | null
  lines: number
  panes: readonly LogPane[]
  formToken: string
}

const TITLES: Record<LogStream, string> = { out: 'Output', err: 'Errors' }
const CHOICES = [50, 200, TAIL.lines]

const describeTail = ({ lines, more, bytes }: Tail): string => {
  const size = formatBytes(bytes ?? 0)
  return more
    ? `The last ${lines.length} lines; the whole log has ${size}.`
    : `All ${lines.length} lines, ${size}.`
}

const pane = ({ stream, tail }: LogPane): Markup => {
  const empty = tail === null || tail.bytes === null || tail.lines.length === 0
  return html`<section>
<h2>${TITLES[stream]}</h2>
${
  empty
    ? html`<p class="note">${tail === null ? 'The supervisor keeps no such log.' : 'Nothing has been written yet.'}</p>`
    : html`<p class="hint">${describeTail(tail)}</p>
<pre class="card" tabindex="0" aria-label="${TITLES[stream]}"><code>${tail.lines.join('\n')}</code></pre>`
}
</section>`
}

export const logPage = ({ name, instance, lines, panes, formToken }: LogPage): Markup => {
  const base = `/processes/${encodeURIComponent(name)}/log`
  const here = panes.length === 1 ? `/${panes[0]?.stream}` : ''
  const query = (count: number): string =>
    `?lines=${count}${instance === null ? '' : `&instance=${instance}`}`
  const link = (where: string, count: number, label: string): Markup =>
    where === here && count === lines
      ? html`<a href="${base}${where}${query(count)}" aria-current="page">${label}</a>`
      : html`<a href="${base}${where}${query(count)}">${label}</a>`
  return frame({
    title: `Log of ${name}`,
    formToken,
    body: html`<p><a href="/">Processes</a></p>
<h1>Log of ${name}</h1>
<nav class="choices" aria-label="What is shown">
<span>${link('/out', lines, 'output')} ${link('/err', lines, 'errors')} ${link('', lines, 'both')}</span>
<span>${CHOICES.map(count => html`${link(here, count, `${count} lines`)} `)}</span>
<a href="${base}${here}${query(lines)}">refresh</a>
</nav>
${panes.map(pane)}`,
  })
}
