// The frame of every page, and pages with only a message. Text goes through `html`, which escapes it.
import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { ASSETS } from './assets.ts'

export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

export interface Frame {
  title: string
  body: Markup
  /** The token of the logout form; null without a session. */
  formToken: string | null
  /** Elements for the head. */
  head?: Markup
}

export const frame = ({ title, body, formToken, head }: Frame): Markup => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Madhava</title>
<link rel="icon" href="${ASSETS.icon.href}" type="image/svg+xml">
<link rel="stylesheet" href="${ASSETS.style.href}">
<script src="${ASSETS.script.href}" defer></script>
${head ?? ''}
</head>
<body>
<header class="top">
<a class="brand" href="/"><img src="${ASSETS.icon.href}" alt="" width="24" height="24"> Madhava</a>
${
  formToken === null
    ? ''
    : html`<form method="post" action="/logout">${tokenField(formToken)}<button class="quiet">Log out</button></form>`
}
</header>
<main>
${body}
</main>
</body>
</html>`

/** The hidden field in every form. */
export const tokenField = (formToken: string): Markup =>
  html`<input type="hidden" name="token" value="${formToken}">`

export interface Message {
  title: string
  /** What the title does not say. */
  text: string | null
  formToken: string | null
}

/** A refusal or an error, with a way back. */
export const messagePage = ({ title, text, formToken }: Message): Markup =>
  frame({
    title,
    formToken,
    body: html`<h1>${title}</h1>
${text === null ? '' : html`<p class="note bad" role="alert">${text}</p>`}
<p><a class="button" href="/">Back to the processes</a></p>`,
  })

/** Shown while the dashboard itself restarts; leads back once it is up, with or without the script. */
export const restartingPage = (formToken: string): Markup =>
  frame({
    title: 'Restarting',
    formToken,
    head: html`<noscript><meta http-equiv="refresh" content="5; url=/"></noscript>`,
    body: html`<h1>Restarting</h1>
<p class="note" role="status" data-restarting>The dashboard restarts. This page comes back by itself in a moment.</p>
<p><a class="button" href="/">Back to the processes</a></p>`,
  })

/** `problem`: why the last try failed. */
export const loginPage = (problem: string | null): Markup =>
  frame({
    title: 'Log in',
    formToken: null,
    body: html`<form class="card login" method="post" action="/login">
<h1>Log in</h1>
${problem === null ? '' : html`<p class="note bad" role="alert">${problem}</p>`}
<label for="name">Name</label>
<input id="name" name="name" value="operator" autocomplete="username" autocapitalize="none" required maxlength="64">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="256" autofocus>
<button class="primary">Log in</button>
<p class="hint">The first start shows the password once, in its terminal, unless DASHBOARD_PASSWORD sets it.</p>
</form>`,
  })
