// The table of processes with its buttons. Every button is a form, so the page works without its script.
import { html } from 'hono/html'
import type { SeenKindTrouble } from '../../core/kind-trouble.ts'
import { ACTIONS, type Action } from '../processes.ts'
import { frame, type Markup, tokenField } from './layout.ts'
import type { ShownRow } from './row.ts'

const LABELS: Record<Action, string> = { start: 'Start', stop: 'Stop', restart: 'Restart' }

const button = (row: ShownRow, action: Action, formToken: string): Markup => {
  const why =
    row.isDashboard && action === 'stop' ? 'Nothing could start the dashboard from here again' : null
  return html`<form method="post" action="/processes/${encodeURIComponent(row.name)}/${action}">${tokenField(formToken)}<button data-action="${action}" aria-label="${LABELS[action]} ${row.name}"${why === null ? '' : html` title="${why}"`}${row.can[action] ? '' : html` disabled`}>${LABELS[action]}</button></form>`
}

const tableRow = (row: ShownRow, formToken: string): Markup => {
  const log = `/processes/${encodeURIComponent(row.name)}/log`
  return html`<tr data-id="${row.pmId}" data-name="${row.name}">
<th scope="row">${row.name}${row.isDashboard ? html` <small>this page</small>` : ''}</th>
<td><span class="state ${row.tone}" data-cell="state">${row.cells.state}</span></td>
<td class="number" data-cell="pid">${row.cells.pid}</td>
<td class="number" data-cell="uptime">${row.cells.uptime}</td>
<td class="number" data-cell="restarts">${row.cells.restarts}</td>
<td class="number" data-cell="cpu">${row.cells.cpu}</td>
<td class="number" data-cell="memory">${row.cells.memory}</td>
<td class="links"><a href="${log}/out?instance=${row.pmId}" aria-label="Output of ${row.name}">output</a> <a href="${log}/err?instance=${row.pmId}" aria-label="Errors of ${row.name}">errors</a></td>
<td class="actions">${ACTIONS.map(action => button(row, action, formToken))}</td>
</tr>`
}

const forAll = (action: Action, formToken: string): Markup =>
  html`<form method="post" action="/processes/${action}">${tokenField(formToken)}<button>${LABELS[action]} all</button></form>`

/** "4 of 4 online": the script puts the same text in. */
export const summary = (rows: readonly ShownRow[]): string =>
  `${rows.filter(row => row.state === 'online').length} of ${rows.length} online`

export interface ProcessesPage {
  rows: readonly ShownRow[]
  /** The result of the last button. */
  message: string | null
  formToken: string
  /** Kinds whose files cannot be used, as of when the page was requested. */
  kindTroubles: readonly SeenKindTrouble[]
}

const kindsNote = (troubles: readonly SeenKindTrouble[]): Markup | '' =>
  troubles.length === 0
    ? ''
    : html`<div class="note bad" role="alert" data-kinds>
<p>Kinds in trouble: their tasks wait until the file is mended and the processes are restarted. The other kinds run.</p>
<ul>${troubles.map(({ name, file, reason, roles }) => html`<li><b>${name}</b> ${file}: ${reason}${roles.length === 0 ? '' : ` (in ${roles.join(', ')})`}</li>`)}</ul>
</div>`

export const processesPage = ({ rows, message, formToken, kindTroubles }: ProcessesPage): Markup =>
  frame({
    title: 'Processes',
    formToken,
    body: html`<div class="heading">
<h1>Processes</h1>
<p data-summary>${summary(rows)}</p>
<div class="actions">${ACTIONS.map(action => forAll(action, formToken))}</div>
</div>
${message === null ? '' : html`<p class="note good" role="status">${message}</p>`}
<p class="note bad" role="alert" data-trouble hidden></p>
${kindsNote(kindTroubles)}
<div class="card scroll" data-live tabindex="0" role="region" aria-label="Processes">
<table>
<caption>Processes under the supervisor. CPU: 100 % is one core.</caption>
<thead><tr>
<th scope="col">Name</th><th scope="col">State</th><th scope="col" class="number">PID</th>
<th scope="col" class="number">Uptime</th><th scope="col" class="number">Restarts</th>
<th scope="col" class="number">CPU</th><th scope="col" class="number">Memory</th>
<th scope="col">Logs</th><th scope="col">Actions</th>
</tr></thead>
<tbody>
${rows.map(row => tableRow(row, formToken))}
</tbody>
</table>
</div>
<p class="hint">Stopping all leaves the dashboard running; restarting all restarts it last.</p>`,
  })

/** Shown instead of the table, whose last state may be outdated. */
export const supervisorAwayPage = (text: string, formToken: string): Markup =>
  frame({
    title: 'Processes',
    formToken,
    body: html`<h1>Processes</h1>
<p class="note bad" role="alert" data-trouble data-away>${text}</p>
<p>Its processes may be running or not: only the supervisor knows. This page asks again by itself.</p>
<p><a class="button" href="/">Try again</a></p>`,
    head: html`<noscript><meta http-equiv="refresh" content="5; url=/"></noscript>`,
  })
