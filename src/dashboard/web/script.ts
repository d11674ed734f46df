// The page's own script, as text: refreshes the table, and returns to it after the dashboard has restarted. It sets
// text and never markup. The page works without it.

export const SCRIPT = `'use strict'
const EVERY_MS = 2000
const live = document.querySelector('[data-live]')
const trouble = document.querySelector('[data-trouble]')
const restarting = document.querySelector('[data-restarting]')

const showTrouble = text => {
  trouble.textContent = text
  trouble.hidden = text === ''
  // what was true some seconds ago may be wrong by now, so it is not left standing
  if (live) live.hidden = text !== ''
}

const showRow = (line, row) => {
  for (const [cell, text] of Object.entries(row.cells)) {
    const place = line.querySelector('[data-cell="' + cell + '"]')
    if (place && place.textContent !== text) place.textContent = text
  }
  line.querySelector('[data-cell="state"]').className = 'state ' + row.tone
  for (const button of line.querySelectorAll('[data-action]')) button.disabled = !row.can[button.dataset.action]
}

const show = ({ processes, summary }) => {
  const lines = live ? [...live.querySelectorAll('tr[data-id]')] : []
  const same = live && lines.length === processes.length && processes.every((row, index) =>
    lines[index].dataset.id === String(row.pmId) && lines[index].dataset.name === row.name)
  if (!same) return location.assign('/')
  processes.forEach((row, index) => showRow(lines[index], row))
  document.querySelector('[data-summary]').textContent = summary
  showTrouble('')
}

const refresh = async () => {
  if (document.hidden) return
  try {
    const answer = await fetch('/processes.json', { signal: AbortSignal.timeout(8000) })
    if (answer.status === 401) return location.assign('/login')
    const body = await answer.json()
    if (answer.ok) show(body)
    else showTrouble(body.detail)
  } catch {
    showTrouble('The dashboard does not answer. Trying again.')
  }
}

const began = Date.now()
const lookBack = async () => {
  try {
    const answer = await fetch('/livez', { signal: AbortSignal.timeout(2000) })
    // the old process may still answer for a moment
    if (answer.ok && Date.now() - began > 2500) location.assign('/')
  } catch {}
}

const repeat = async (work, everyMs) => {
  await work()
  setTimeout(() => repeat(work, everyMs), everyMs)
}
if (restarting) repeat(lookBack, 500)
else if (trouble) setTimeout(() => repeat(refresh, EVERY_MS), EVERY_MS)
for (const log of document.querySelectorAll('pre')) log.scrollTop = log.scrollHeight
`
