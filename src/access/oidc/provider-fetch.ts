// Requests to the provider: bounded in time and size, ended with the server, and without its words in the errors, since
// answers hold tokens.
import type { CustomFetch } from 'openid-client'

/** The provider does not answer, or says that it cannot. `message` is for the log, and holds nothing of an answer. */
export class ProviderAwayError extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ProviderAwayError'
  }
}

/** Keys and metadata take some kilobytes, a person in thousands of groups some hundred. */
const ANSWER_BYTES_MAX = 1024 ** 2
/** Statuses without a body, which `Response` takes none for. */
const EMPTY = [204, 205, 304]

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = (error.cause ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : error.name
}

const readBounded = async (response: Response): Promise<Uint8Array<ArrayBuffer>> => {
  const parts: Uint8Array[] = []
  let bytes = 0
  // left early, the loop ends the request
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > ANSWER_BYTES_MAX) throw new ProviderAwayError('its answer is too large')
    parts.push(part)
  }
  return new Uint8Array(Buffer.concat(parts))
}

const isBusy = (status: number): boolean => status >= 500 || status === 429

/** @param closing ends what is under way */
export const createProviderFetch =
  (closing: AbortSignal): CustomFetch =>
  async (url, { signal, body, ...options }) => {
    try {
      const response = await fetch(url, {
        ...options,
        body: body ?? null,
        signal: signal ? AbortSignal.any([signal, closing]) : closing,
      })
      const bytes = await readBounded(response)
      const { status, headers } = response
      if (isBusy(status)) throw new ProviderAwayError(`HTTP ${status}`)
      return new Response(EMPTY.includes(status) ? null : bytes, { status, headers })
    } catch (error) {
      if (error instanceof ProviderAwayError) throw error
      throw new ProviderAwayError(reasonOf(error))
    }
  }
