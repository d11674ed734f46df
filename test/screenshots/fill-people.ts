// Makes a few accounts, an invitation and two keys in a bundle, for the pages about accounts.
import assert from 'node:assert/strict'

const PEOPLE = [
  { name: 'ada', role: 'user' },
  { name: 'brian', role: 'operator' },
  { name: 'carol', role: 'viewer' },
] as const

/**
 * @param api the address of the REST API
 * @param password of the operator
 */
export const fillPeople = async (api: string, password: string): Promise<void> => {
  const ask = async (path: string, body: object, token?: string): Promise<Record<string, string>> => {
    const answer = await fetch(api + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    })
    const text = await answer.text()
    assert.equal(answer.status, 201, text)
    return JSON.parse(text) as Record<string, string>
  }
  const { token } = await ask('/sessions', { name: 'operator', password })
  for (const person of PEOPLE)
    await ask('/accounts', { ...person, password: 'only for the screenshots' }, token)
  await ask('/invitations', { role: 'user', note: 'for Dora' }, token)
  await ask(
    '/keys',
    { name: 'nightly report', scopes: ['read', 'submit'], kinds: ['csv-stats'], own: true },
    token,
  )
  await ask('/keys', { name: 'Prometheus', scopes: ['read'] }, token)
}
