// Runs in the browser: the reference page, made from /openapi.json. It puts text into the page and never markup.
import { buildRequest, curlLine, send } from './docs-call.mjs'
import { createSchemas } from './docs-schema.mjs'

/** An element; `null` children are left out. */
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value ?? false) element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.filter(child => child !== null))
  return element
}

/** Text with `code` in it. */
const words = text =>
  text
    .split('`')
    .map((part, at) => (at % 2 === 1 ? make('code', {}, part) : part))
    .filter(part => part !== '')
const paragraphs = text => text.split('\n\n').map(part => make('p', {}, ...words(part)))

const fieldRows = (rows, depth = 0) =>
  rows.flatMap(({ name, type, note, required, inner }) => [
    make(
      'tr',
      {},
      make(
        'th',
        { scope: 'row', class: `depth${depth}` },
        name,
        required ? make('b', { title: 'always there' }, '*') : null,
      ),
      make('td', {}, make('code', {}, type)),
      make('td', {}, ...words(note)),
    ),
    ...fieldRows(inner, depth + 1),
  ])

const shapeOf = (schemas, content) =>
  Object.entries(content ?? {}).map(([type, { schema }]) => {
    const rows = schemas.rows(schema)
    const title = [
      make('code', {}, type),
      ' ',
      Object.keys(schema).length > 0 ? schemas.typeOf(schema) : 'bytes',
    ]
    if (rows.length === 0) return make('p', {}, ...title)
    return make(
      'details',
      { class: 'shape' },
      make('summary', {}, ...title),
      make('div', { class: 'scroll' }, make('table', {}, make('tbody', {}, ...fieldRows(rows)))),
    )
  })

let ids = 0
/** Unlike `crypto.randomUUID`, it works over plain HTTP under a name too. */
const newId = letter => `${letter}${++ids}`

/** A labelled field for a parameter; `read` answers what was typed. */
const inputFor = ({ name, in: place, description, required, schema }) => {
  const choices = schema.enum ?? schema.items?.enum
  const id = newId('p')
  const field = choices
    ? make(
        'select',
        { id },
        make('option', { value: '' }, ''),
        ...choices.map(choice => make('option', {}, choice)),
      )
    : make('input', {
        id,
        autocomplete: 'off',
        spellcheck: 'false',
        required,
        placeholder: schema.examples?.[0] ?? null,
      })
  return {
    place,
    name,
    read: () => field.value.trim(),
    row: make(
      'div',
      { class: 'field' },
      make('label', { for: id }, name, required ? make('b', {}, '*') : null, make('small', {}, ` ${place}`)),
      field,
      make('p', { class: 'hint' }, ...words(description ?? '')),
    ),
  }
}

const bodyFor = requestBody => {
  const [first] = Object.entries(requestBody?.content ?? {})
  if (!first) return null
  const [type, { example }] = first
  const id = newId('b')
  const text = example === undefined ? '' : JSON.stringify(example, null, 2)
  const field = make('textarea', { id, rows: Math.min(14, text.split('\n').length + 1), spellcheck: 'false' })
  field.value = text
  return {
    type,
    read: () => field.value,
    row: make(
      'div',
      { class: 'field' },
      make('label', { for: id }, 'body', make('small', {}, ` ${type}`)),
      field,
    ),
  }
}

/** The form that tries the call, and where its answer is shown. */
const tryIt = (method, path, operation) => {
  const inputs = (operation.parameters ?? []).map(inputFor)
  const body = bodyFor(operation.requestBody)
  const valuesIn = place =>
    Object.fromEntries(inputs.filter(input => input.place === place).map(input => [input.name, input.read()]))
  const request = () =>
    buildRequest(method, path, {
      path: valuesIn('path'),
      query: valuesIn('query'),
      header: valuesIn('header'),
      body: body?.read() ?? null,
      type: body?.type,
    })
  const curl = make('pre', { class: 'curl' })
  const head = make('p', { class: 'answer-head', role: 'status' })
  const headers = make('pre', { class: 'headers' })
  const text = make('pre', { class: 'answer-text', tabindex: '0' })
  const answer = make('div', { class: 'answer', hidden: true }, head, headers, text)
  const stop = make('button', { type: 'button', hidden: true, onclick: () => stopped.abort() }, 'Stop')
  let stopped = new AbortController()

  const submit = async event => {
    event.preventDefault()
    stopped.abort()
    const mine = new AbortController()
    stopped = mine
    let follow = false
    answer.hidden = false
    stop.hidden = false
    head.className = 'answer-head'
    head.textContent = 'Sent ...'
    headers.textContent = ''
    text.textContent = ''
    try {
      await send(request(), {
        signal: mine.signal,
        onHead({ status, statusText, ms, headers: pairs }) {
          follow = pairs.some(
            ([name, value]) => name === 'content-type' && value.startsWith('text/event-stream'),
          )
          head.className = `answer-head ${status < 400 ? 'good' : 'bad'}`
          head.textContent = `${status} ${statusText} after ${ms} ms`
          headers.textContent = pairs.map(([name, value]) => `${name}: ${value}`).join('\n')
        },
        onText(shown, size) {
          text.textContent = shown.length < size ? `${shown}\n... ${size} characters in all` : shown
          if (follow) text.scrollTop = text.scrollHeight
        },
      })
    } catch (error) {
      if (!mine.signal.aborted) {
        head.className = 'answer-head bad'
        head.textContent = `No answer: ${error.message}`
      }
    }
    if (stopped === mine) stop.hidden = true
  }
  const show = () => {
    curl.textContent = curlLine(request(), location.origin)
  }
  const form = make(
    'form',
    { onsubmit: submit, oninput: show },
    ...inputs.map(({ row }) => row),
    body?.row ?? null,
    curl,
    make('div', { class: 'actions' }, make('button', { class: 'primary' }, 'Send'), stop),
    answer,
  )
  show()
  return form
}

const section = (schemas, method, path, operation) =>
  make(
    'details',
    { class: 'operation', id: operation.operationId },
    make(
      'summary',
      {},
      make('span', { class: `method ${method.toLowerCase()}` }, method),
      make('code', { class: 'path' }, path),
      make('span', { class: 'what' }, operation.summary),
    ),
    ...paragraphs(operation.description ?? ''),
    operation.requestBody ? make('h4', {}, 'Takes') : null,
    ...shapeOf(schemas, operation.requestBody?.content),
    make('h4', {}, 'Answers'),
    ...Object.entries(operation.responses).map(([status, { description, content }]) =>
      make(
        'div',
        { class: 'status' },
        make('b', { class: Number(status) < 400 ? 'good' : 'bad' }, status),
        make(
          'div',
          {},
          ...paragraphs(description),
          ...(Number(status) < 400 ? shapeOf(schemas, content) : []),
        ),
      ),
    ),
    make('h4', {}, 'Try it'),
    tryIt(method, path, operation),
  )

const page = api => {
  const schemas = createSchemas(api)
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  return [
    make('h1', {}, api.info.title, make('small', {}, ` ${api.info.version}`)),
    ...paragraphs(api.info.description),
    make('p', {}, make('a', { href: '/openapi.json' }, 'openapi.json'), ' is this page for programs.'),
    ...api.tags.flatMap(({ name, description }) => [
      make('h2', {}, name),
      make('p', { class: 'soft' }, description),
      ...operations
        .filter(({ operation }) => operation.tags.includes(name))
        .map(({ method, path, operation }) => section(schemas, method, path, operation)),
    ]),
  ]
}

/** An address with #operation opens it. */
const openNamed = () => {
  const named = document.getElementById(location.hash.slice(1))
  if (named?.tagName !== 'DETAILS') return
  named.open = true
  named.scrollIntoView()
}

const main = document.querySelector('main')
try {
  const answer = await fetch('/openapi.json')
  if (!answer.ok) throw new Error(`/openapi.json answered ${answer.status}`)
  main.replaceChildren(...page(await answer.json()))
  openNamed()
  addEventListener('hashchange', openNamed)
} catch (error) {
  main.replaceChildren(
    make('p', { class: 'bad', role: 'alert' }, `The reference cannot be shown: ${error.message}`),
  )
}
