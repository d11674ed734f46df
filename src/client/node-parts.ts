// What Node can do and a page cannot. It imports nothing, so that a page can load the client.

/** Also true of what behaves like Node. */
export const isNode = (): boolean => typeof globalThis.process?.versions?.node === 'string'

export interface Digest {
  update(bytes: Uint8Array): void
  /** In hex; to be called once. */
  hex(): string
}

/** A SHA-256 of bytes that come one after another; null in a page, which can only hash what it holds as a whole. */
export const createDigest = (): Digest | null => {
  const crypto = isNode() ? globalThis.process.getBuiltinModule?.('node:crypto') : undefined
  if (!crypto) return null
  const hash = crypto.createHash('sha256')
  return { update: bytes => void hash.update(bytes), hex: () => hash.digest('hex') }
}
