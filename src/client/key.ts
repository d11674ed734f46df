// What a client shows to say who it is: a key or the token of a session, or a function that knows it. It reads no
// environment and no file.

/** A text, or a function that is asked whenever one is needed, so that it may give another one later. */
export type KeySource = string | (() => string | Promise<string>)

/** What keys and tokens are made of: a header takes no other characters, and names what it was given in its error. */
const SOUND = /^[\x21-\x7e]+$/

/** The key, without what stands around it in a file. @throws Error that does not hold it, for what cannot be one */
export const readKey = async (source: KeySource): Promise<string> => {
  const key = (typeof source === 'string' ? source : await source()).trim()
  if (SOUND.test(key)) return key
  throw new Error('The key is empty, or has characters that no key has')
}
