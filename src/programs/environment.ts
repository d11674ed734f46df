// The environment of a program: the worker's, and what makes a Python program find its kit and speak at once.
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const PYTHON_KIT = fileURLToPath(new URL('../../sdk/python', import.meta.url))

/** Some processes of the server have them, and ask programs what they are: they are not for kinds. */
const KEPT_BACK = ['DASHBOARD_PASSWORD', 'DASHBOARD_VIEWER_PASSWORD', 'OIDC_CLIENT_SECRET']

/** `own` are variables of the caller's. What the operator has set for Python stays. */
export const programEnvironment = (own: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && !KEPT_BACK.includes(name)) given[name] = value
  const { PYTHONPATH = '' } = given
  return {
    PYTHONUNBUFFERED: '1',
    PYTHONIOENCODING: 'utf-8',
    ...given,
    PYTHONPATH: PYTHONPATH === '' ? PYTHON_KIT : `${PYTHONPATH}${path.delimiter}${PYTHON_KIT}`,
    ...own,
  }
}
