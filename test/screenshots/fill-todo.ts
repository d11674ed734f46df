// Puts things on the shared list, and completes two of them.
import assert from 'node:assert/strict'

const ITEMS = [
  { title: 'Renew the certificate of erp.example', assignee: 'brian' },
  { title: 'Clean the lens of camera 4', description: 'The pictures since Tuesday are blurred.' },
  { title: 'Ask the bank about report 20,412', assignee: 'ada', description: 'Two totals differ by 0.01.' },
  { title: 'Free 200 GB on the file server' },
  { title: 'Call the courier' },
] as const
const DONE = [{ note: 'The night job has removed the scans of 2023.' }, { note: null }]

/** @param token who adds and completes them */
export const fillTodo = async (api: string, token: string): Promise<void> => {
  const post = async (path: string, body: object): Promise<string> => {
    const answer = await fetch(api + path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    })
    assert.ok(answer.ok, await answer.clone().text())
    return ((await answer.json()) as { id: string }).id
  }
  const ids: string[] = []
  for (const item of ITEMS) ids.push(await post('/create_task', item))
  for (const [at, body] of DONE.entries())
    await post(`/task/${ids[ids.length - DONE.length + at]}/complete`, body)
}
