// What a browser does with redirects, cookies and forms, and nothing more: for walks over several servers without one.
import assert from 'node:assert/strict'

interface Cookie {
  name: string
  value: string
  path: string
}

/** A page that a walk has come to. */
export interface Page {
  url: URL
  status: number
  headers: Headers
  text: string
}

export interface TinyBrowser {
  /** Goes to an address, and wherever it leads; `stopAt`: not behind an address that begins so. */
  visit(url: string, options?: { stopAt?: string }): Promise<Page>
  /** Sends the one form of a page. */
  submit(page: Page, fields: Record<string, string>, options?: { stopAt?: string }): Promise<Page>
  /** Of one origin: names to values, whatever their paths are. */
  cookies(origin: string): Record<string, string>
  set(origin: string, cookie: Cookie): void
}

type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>

const REDIRECTS = [301, 302, 303, 307]
const MOST = 20

/** @param servers by origin: what answers in place of the network */
export const createTinyBrowser = (servers: Readonly<Record<string, Answer>> = {}): TinyBrowser => {
  const jars = new Map<string, Map<string, Cookie>>()
  const jarOf = (origin: string): Map<string, Cookie> => {
    const jar = jars.get(origin) ?? new Map<string, Cookie>()
    jars.set(origin, jar)
    return jar
  }

  const keep = (url: URL, text: string): void => {
    const [pair = '', ...attributes] = text.split(';').map(part => part.trim())
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    const attributeOf = (wanted: string): string | undefined =>
      attributes.find(one => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
    const path = attributeOf('path') ?? '/'
    const expires = attributeOf('expires')
    const isOver =
      attributeOf('max-age') === '0' || (expires !== undefined && Date.parse(expires) < Date.now())
    const key = `${name} ${path}`
    if (isOver || value === '') jarOf(url.origin).delete(key)
    else jarOf(url.origin).set(key, { name, value, path })
  }

  const ask = async (url: URL, init: RequestInit): Promise<Response> => {
    const shown = [...jarOf(url.origin).values()]
      .filter(({ path }) => url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const headers = { host: url.host, ...(init.headers as object), ...(shown ? { cookie: shown } : {}) }
    const answer = servers[url.origin] ?? ((to, how) => fetch(to, how))
    const response = await answer(url, { ...init, headers, redirect: 'manual' })
    for (const text of response.headers.getSetCookie()) keep(url, text)
    return response
  }

  const follow = async (first: URL, init: RequestInit, stopAt: string | undefined): Promise<Page> => {
    let [url, how] = [first, init]
    for (let n = 0; n < MOST; n += 1) {
      const response = await ask(url, how)
      const location = response.headers.get('location')
      if (!REDIRECTS.includes(response.status) || location === null)
        return { url, status: response.status, headers: response.headers, text: await response.text() }
      await response.body?.cancel()
      url = new URL(location, url)
      how = {}
      if (stopAt !== undefined && url.href.startsWith(stopAt))
        return { url, status: response.status, headers: response.headers, text: '' }
    }
    throw new Error(`too many redirects, the last one to ${url.origin}`)
  }

  return {
    visit: (url, { stopAt } = {}) => follow(new URL(url), {}, stopAt),

    submit(page, fields, { stopAt } = {}) {
      const action = /<form[^>]*action="([^"]+)"/.exec(page.text)?.[1]
      assert.ok(action, `no form at ${page.url.href}: ${page.text.slice(0, 300)}`)
      const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
      const body = new URLSearchParams(
        hidden.map(([, name = '', value = '']): [string, string] => [name, value]),
      )
      for (const [name, value] of Object.entries(fields)) body.set(name, value)
      return follow(
        new URL(action, page.url),
        {
          method: 'POST',
          body: body.toString(),
          headers: { 'content-type': 'application/x-www-form-urlencoded', origin: page.url.origin },
        },
        stopAt,
      )
    },

    cookies: origin =>
      Object.fromEntries([...jarOf(origin).values()].map(({ name, value }) => [name, value])),

    set(origin, cookie) {
      jarOf(origin).set(`${cookie.name} ${cookie.path}`, cookie)
    },
  }
}

/** Logs in at the provider as somebody, and consents where that is asked. `stopAt`: as `visit`. */
export const passProvider = async (
  browser: TinyBrowser,
  page: Page,
  login: string,
  options: { stopAt?: string } = {},
): Promise<Page> => {
  const entered = await browser.submit(page, { login, password: 'whatever' }, options)
  return /name="prompt" value="consent"/.test(entered.text) ? browser.submit(entered, {}, options) : entered
}
