// Makes a few accounts, an invitation and two keys in a bundle, for the pages about accounts.
import assert from 'node:assert/strict'

const PEOPLE = [
  { name: 'ada', role: 'user' },
  { name: 'brian', role: 'operator' },
  { name: 'carol', role: 'viewer' },
] as const

const post = async (address: string, body: object, token?: string): Promise<Record<string, string>> => {
  const answer = await fetch(address, {
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

/** Makes a link to a task. @returns what stands behind /shared/ in its address */
export const share = async (api: string, token: string, task: string): Promise<string> =>
  (await post(`${api}/task/${task}/share`, { seconds: 7 * 86_400 }, token)).token ?? ''

/**
 * @param api the address of the REST API
 * @param password of the operator
 * @returns a token of the operator
 */
export const fillPeople = async (api: string, password: string): Promise<string> => {
  const ask = (path: string, body: object, token?: string) => post(api + path, body, token)
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
  return token ?? ''
}
