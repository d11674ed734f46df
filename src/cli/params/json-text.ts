// Reads JSON that people type: whole numbers that a double cannot hold, and names that no object may have, are refused
// here as the server would.
import type { Json } from '../../client/task.ts'
import { usage } from '../exit.ts'

const checkNumbers = (text: string, what: string): void => {
  // texts first, in which digits are none
  const bare = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  for (const [number] of bare.matchAll(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g)) {
    const value = Number(number)
    if (!Number.isFinite(value) || (/^-?\d+$/.test(number) && !Number.isSafeInteger(value)))
      throw usage(`${what}: ${number} is a number that would change on its way: send it as a text`)
  }
}

/** @param what names the place in an error. @throws ConsoleError */
export const readJson = (text: string, what: string): Json => {
  let value: Json
  try {
    value = JSON.parse(text, (name, inner: Json) => {
      if (name === '__proto__') throw usage(`${what}: no field may be called __proto__`)
      return inner
    }) as Json
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw usage(`${what}: this is no JSON: ${error.message}`)
  }
  checkNumbers(text, what)
  return value
}
