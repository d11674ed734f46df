// Runs in the browser: an operation and what was typed in -> a request, its line for curl, and its answer as it comes.

const quote = text => `'${text.replaceAll("'", "'\\''")}'`

/** @param values `{path, query, header: {name: text}, body, type}`; empty texts are left out */
export const buildRequest = (method, path, values) => {
  const filled = path.replace(/\{(\w+)\}/g, (_all, name) => encodeURIComponent(values.path[name] ?? ''))
  const query = new URLSearchParams()
  for (const [name, text] of Object.entries(values.query)) if (text !== '') query.append(name, text)
  const url = query.size > 0 ? `${filled}?${query}` : filled
  const headers = Object.fromEntries(Object.entries(values.header).filter(([, text]) => text !== ''))
  if (values.body !== null && values.body !== '') headers['Content-Type'] = values.type
  return { method, url, headers, body: values.body || null }
}

export const curlLine = ({ method, url, headers, body }, origin) =>
  [
    'curl',
    ...(method === 'GET' ? [] : ['-X', method]),
    quote(origin + url),
    ...Object.entries(headers).flatMap(([name, text]) => ['-H', quote(`${name}: ${text}`)]),
    ...(body === null ? [] : ['-d', quote(body)]),
  ].join(' ')

/** Kept of an answer for the eye; the rest is counted. */
const SHOWN = 200_000

/**
 * Sends, and hands over the head, then the text so far whenever there is more. Ends at the signal: streams of
 * events have no end of their own.
 */
export const send = async ({ method, url, headers, body }, { signal, onHead, onText }) => {
  const begun = performance.now()
  const answer = await fetch(url, { method, headers, body, signal, cache: 'no-store' })
  onHead({
    status: answer.status,
    statusText: answer.statusText,
    ms: Math.round(performance.now() - begun),
    headers: [...answer.headers],
  })
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let [text, size] = ['', 0]
  for (;;) {
    const part = await reader?.read()
    if (part === undefined || part.done) break
    size += part.value.length
    // whole signs: half of one would be shown as a box
    if (text.length < SHOWN) text += part.value.slice(0, SHOWN - text.length).replace(/[\ud800-\udbff]$/, '')
    onText(text, size)
  }
  if (answer.headers.get('content-type')?.endsWith('json') && text.length === size && size > 0)
    onText(pretty(text), size)
}

const pretty = text => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
