// Runs in the browser, on a page of another origin: what such a page can try against the REST door, and what a page of
// an origin that is allowed does.

const element = (tag, attributes) => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}

/** `loaded` or an empty text. */
const embed = (tag, attributes) => {
  const made = element(tag, attributes)
  const done = new Promise(resolve => {
    made.onload = () => resolve('loaded')
    made.onerror = () => resolve('')
  })
  document.body.append(made)
  return done
}

/** What stands in a frame once it has loaded: its page, or the browser's own, which cannot be looked into. */
const frameText = async start => {
  const frame = element('iframe', { name: 'there' })
  document.body.append(frame)
  const loaded = new Promise(resolve => {
    frame.onload = resolve
  })
  start(frame)
  await loaded
  const text = frame.contentDocument?.body.textContent
  frame.remove()
  return text
}

const postForm = to =>
  frameText(() => {
    const form = element('form', {
      method: 'POST',
      action: `${to}/tasks`,
      enctype: 'text/plain',
      target: 'there',
    })
    form.append(element('input', { name: '{"kind":"echo","params":"', value: '"}' }))
    document.body.append(form)
    form.submit()
  })

/** Tries everything; answers what it could read. */
const attack = async (to, task) => {
  const read = []
  const attempt = async (what, work) => {
    const got = await work().catch(() => '')
    if (got) read.push(`${what}: ${String(got).slice(0, 80)}`)
  }
  const text = async (path, init) => (await fetch(`${to}${path}`, init)).text()
  const modes = ['cors', 'no-cors']
  for (const path of ['/', '/tasks', '/alltasks', `/task/${task}`, '/openapi.json', '/calcpi/7'])
    for (const mode of modes)
      await attempt(`${mode} ${path}`, () => text(path, { mode, credentials: 'include' }))
  const body = JSON.stringify({ kind: 'echo', params: 'stolen' })
  for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded'])
    for (const mode of modes)
      await attempt(`${mode} ${type}`, () =>
        text('/tasks', { method: 'POST', mode, body, headers: { 'content-type': type } }),
      )
  await attempt('delete', () => text(`/task/${task}`, { method: 'DELETE' }))
  for (const path of [`/task/${task}/retry`, '/tasks/cancel', '/tasks/delete'])
    await attempt(path, () => text(path, { method: 'POST', mode: 'no-cors', body: '{}' }))
  navigator.sendBeacon(`${to}/tasks`, new Blob([body], { type: 'text/plain' }))
  await attempt('image', () => embed('img', { src: `${to}/calcpi/8` }))
  await attempt('script', () => embed('script', { src: `${to}/alltasks` }))
  await attempt('style', () => embed('link', { rel: 'stylesheet', href: `${to}/calcpi/9` }))
  await attempt('frame', () =>
    frameText(frame => {
      frame.src = `${to}/calcpi/10`
    }),
  )
  await attempt('form', () => postForm(to))
  // without a word on where they come from
  const silent = { referrerpolicy: 'no-referrer' }
  await attempt('silent image', () => embed('img', { ...silent, src: `${to}/calcpi/14` }))
  await attempt('silent frame', () =>
    frameText(frame => {
      frame.referrerPolicy = 'no-referrer'
      frame.src = `${to}/calcpi/15`
    }),
  )
  for (const headers of [{}, { accept: '*/*', 'accept-language': '*' }])
    await attempt('silent fetch', () =>
      text('/calcpi/16', { mode: 'no-cors', referrerPolicy: 'no-referrer', headers }),
    )
  for (const path of ['/tasks/cancel', `/task/${task}/retry`])
    await attempt(`silent ${path}`, () =>
      text(path, { method: 'POST', mode: 'no-cors', referrerPolicy: 'no-referrer' }),
    )
  await attempt('prefetch', () => embed('link', { ...silent, rel: 'prefetch', href: `${to}/calcpi/17` }))
  return read
}

/** What a page of an allowed origin does, and what it sees. */
const use = async to => {
  const answer = await fetch(`${to}/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'from-a-page' },
    body: '{"kind":"echo","params":"hello"}',
  })
  const { id } = await answer.json()
  const etag = (await fetch(`${to}/task/${id}`)).headers.get('etag')
  const known = await fetch(`${to}/task/${id}`, { headers: { 'if-none-match': etag } })
  const ended = await fetch(`${to}/task/${id}`, { method: 'DELETE' })
  return { id, location: answer.headers.get('location'), etag, known: known.status, ended: ended.status }
}

Object.assign(globalThis, { attack, use, image: to => embed('img', { src: `${to}/calcpi/12` }) })
