// The pages that work without scripts: the login, and refusals outside of the app. Text goes through `html`, which
// escapes it.
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { Language } from './web/texts/languages.ts'
import { TEXTS } from './web/texts/texts.ts'
import type { WebFiles } from './web-files.ts'

export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

/** How a plain page looks to this reader. */
export interface Look {
  web: Pick<WebFiles, 'style' | 'icon'>
  language: Language
  theme: string
}

/** The document around a page without scripts. */
export const frame = (
  { web, language, theme }: Look,
  title: string,
  body: Markup,
  head: Markup | string = '',
): Markup => html`<!doctype html>
<html lang="${language}" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Madhava</title>
<link rel="icon" href="${web.icon}" type="image/svg+xml">
<link rel="stylesheet" href="${web.style}">
${head}
</head>
<body class="plain">
<main class="card plain-card">
<p class="brand"><img src="${web.icon}" alt="" width="28" height="28"> Madhava</p>
${body}
</main>
</body>
</html>`

/** `OIDC`: a sign-in by the provider has failed with this error. */
export type LoginProblem =
  | { code: 'WRONG' }
  | { code: 'WAIT'; seconds: number }
  | { code: 'OIDC'; error: string }

export interface LoginForm {
  problem: LoginProblem | null
  /** The address that the reader wanted. */
  next: string | null
  /** What stands in the field already; left out: the operator. */
  name?: string
  /** An account of this name has just been made. */
  made?: string
  /** Whether people may make accounts here. */
  leadsToRegister: boolean
  /** What people call the provider that they may sign in with; null: there is none. */
  provider: string | null
}

const wordsOf = (language: Language, problem: LoginProblem): string => {
  const { login: t, problems } = TEXTS[language]
  if (problem.code === 'WRONG') return t.wrong
  if (problem.code === 'WAIT') return t.wait(problem.seconds)
  return t.providerFaults[problem.error] ?? problems[problem.error] ?? problem.error
}

export const loginPage = (
  look: Look,
  { problem, next, made, name = made ?? 'operator', leadsToRegister, provider }: LoginForm,
): Markup => {
  const { login: t, register } = TEXTS[look.language]
  const words = problem && wordsOf(look.language, problem)
  const toProvider = `/login/oidc${next === null ? '' : `?${new URLSearchParams({ next })}`}`
  return frame(
    look,
    t.title,
    html`<form method="post" action="/login">
<h1>${t.title}</h1>
${words === null ? '' : html`<p class="note bad" role="alert">${words}</p>`}
${made === undefined || problem ? '' : html`<p class="note" role="status">${register.done}</p>`}
${next === null ? '' : html`<input type="hidden" name="next" value="${next}">`}
<label for="name">${t.name}</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" required maxlength="64">
<label for="password">${t.password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256" autofocus>
<button class="button primary wide">${t.title}</button>
${provider === null ? '' : html`<a class="button wide" href="${toProvider}">${t.byProvider(provider)}</a>`}
${made === undefined ? html`<p class="soft small">${t.hint}</p>` : ''}
${leadsToRegister ? html`<p class="soft small"><a href="/register">${register.link}</a></p>` : ''}
</form>`,
  )
}

/** Goes on to an address by itself: what the browser asks for then, it asks for a page of this site. */
export const leadingPage = (look: Look, address: string): Markup => {
  const { login: t } = TEXTS[look.language]
  return frame(
    look,
    t.title,
    html`<p>${t.done}</p>
<p><a class="button" href="${address}">${t.goOn}</a></p>`,
    html`<meta http-equiv="refresh" content="0; url=${address}">`,
  )
}

/** A refusal or an error, with a way back. `text` is what the title does not say. */
export const messagePage = (look: Look, title: string, text: string | null): Markup =>
  frame(
    look,
    title,
    html`<h1>${title}</h1>
${text === null ? '' : html`<p class="note bad" role="alert">${text}</p>`}
<p><a class="button" href="/">${TEXTS[look.language].frame.back}</a></p>`,
  )
