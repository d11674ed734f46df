// How the page looks that makes an account. Text goes through `html`, which escapes it.
import { html } from 'hono/html'
import { frame, type Look, type Markup } from './plain-pages.ts'
import { TEXTS } from './web/texts/texts.ts'

export interface RegisterFault {
  /** Null: it is about no field. */
  field: 'name' | 'password' | 'invitation' | null
  code: string
  /** Why a password cannot be used. */
  reason?: string
  /** How long to wait. */
  seconds?: number
}

export interface RegisterForm {
  name: string
  invitation: string
  fault: RegisterFault | null
  needsInvitation: boolean
}

export const registerPage = (
  look: Look,
  { name, invitation, fault, needsInvitation }: RegisterForm,
): Markup => {
  const { register: t, problems } = TEXTS[look.language]
  const words =
    fault &&
    ((fault.seconds === undefined ? undefined : t.wait(fault.seconds)) ??
      t.passwordFaults[fault.reason ?? ''] ??
      t.faults[fault.code] ??
      problems[fault.code] ??
      fault.code)
  const help = (field: RegisterFault['field'], text: string): Markup =>
    html`<p class="field-help" id="${field}-help">${
      fault?.field === field ? html`<span class="field-fault" role="alert">${words}</span>` : ''
    }<span>${text}</span></p>`
  const marks = (field: RegisterFault['field']): Markup =>
    html`aria-describedby="${field}-help"${fault?.field === field ? html` aria-invalid="true" autofocus` : ''}`
  const isNameFirst = fault === null
  return frame(
    look,
    t.title,
    html`<form method="post" action="/register">
<h1>${t.title}</h1>
${fault && fault.field === null ? html`<p class="note bad" role="alert">${words}</p>` : ''}
<label for="name">${t.name}</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" required maxlength="64" ${marks('name')}${isNameFirst ? html` autofocus` : ''}>
${help('name', t.nameHelp)}
<label for="password">${t.password}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required maxlength="256" ${marks('password')}>
${help('password', t.passwordHelp)}
<label for="invitation">${t.invitation}</label>
<input id="invitation" name="invitation" value="${invitation}" autocomplete="off" spellcheck="false" maxlength="200" ${marks('invitation')}${needsInvitation ? html` required` : ''}>
${help('invitation', needsInvitation ? t.invitationHelp : t.invitationOptional)}
<button class="button primary wide">${t.title}</button>
<p class="soft small"><a href="/login">${t.toLogin}</a></p>
</form>`,
  )
}
