// What passes by itself and what would come again at every try.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { silentLog } from '../../src/platform/log.ts'
import { classifyError, type ErrorClass, retryWrite } from '../../src/worker/retry-write.ts'

const errno = (code: string): Error => Object.assign(new Error(code), { code, errno: -1, syscall: 'open' })
const deepSchema = (): unknown => {
  const fall = (): number => 1 + fall()
  try {
    return fall()
  } catch (error) {
    return error
  }
}
const uncloneable = (): unknown => {
  try {
    return structuredClone(() => 1)
  } catch (error) {
    return error
  }
}

const ERRORS: [unknown, ErrorClass][] = [
  [new MadhavaError('STORE_UNAVAILABLE'), 'temporary'],
  [new MadhavaError('STORE_FULL'), 'temporary'],
  [new MadhavaError('TASK_BUSY'), 'temporary'],
  [errno('ENOSPC'), 'temporary'],
  [errno('EMFILE'), 'temporary'],
  [new RangeError('Array buffer allocation failed'), 'unknown'],
  [new MadhavaError('INTERNAL'), 'unknown'],
  [new Error('nobody knows'), 'unknown'],
  ['just words', 'unknown'],
  [new MadhavaError('RECORD_INVALID'), 'permanent'],
  [new MadhavaError('BAD_KEY'), 'permanent'],
  [deepSchema(), 'permanent'],
  [uncloneable(), 'permanent'],
  [new TypeError('a circular structure'), 'permanent'],
]

const retryOptions = (
  over: { closing?: AbortSignal; hurry?: AbortSignal; acceptedByAnyStore?: boolean } = {},
) => {
  const never = new AbortController().signal
  const { closing = never, hurry = never, acceptedByAnyStore = false } = over
  return { log: silentLog(), random: () => 0, closing, hurry: () => hurry, acceptedByAnyStore }
}

describe('an end that cannot be written', () => {
  it('is known to pass, to last, or neither', () => {
    for (const [error, errorClass] of ERRORS) assert.equal(classifyError(error), errorClass, String(error))
  })

  it('is tried again while that may help, and refused at the first error that lasts', async () => {
    for (const [error, errorClass] of ERRORS.filter(([, each]) => each !== 'unknown')) {
      let tries = 0
      const answer = await retryWrite(async () => {
        tries += 1
        if (tries === 1) throw error
        return 'done'
      }, retryOptions())
      const passed = { state: 'written', value: 'done' }
      assert.deepEqual(answer, errorClass === 'temporary' ? passed : { state: 'refused', error })
      assert.equal(tries, errorClass === 'temporary' ? 2 : 1)
    }
  })

  it('is refused after some tries where nobody knows, and never where every store takes it', async () => {
    const hurry = AbortSignal.abort()
    let tries = 0
    const write = async () => {
      tries += 1
      if (tries <= 5) throw new MadhavaError('INTERNAL')
      return tries
    }
    assert.equal((await retryWrite(write, retryOptions({ hurry }))).state, 'refused')
    tries = 0
    assert.deepEqual(await retryWrite(write, retryOptions({ hurry, acceptedByAnyStore: true })), {
      state: 'written',
      value: 6,
    })
  })

  it('is left when the claim is lost or the worker closes, and tried at once when something has come', async () => {
    const lost = await retryWrite(() => Promise.reject(new MadhavaError('CLAIM_LOST')), retryOptions())
    assert.deepEqual(lost, { state: 'abandoned' })
    const away = new MadhavaError('STORE_UNAVAILABLE')
    const closed = await retryWrite(
      () => Promise.reject(away),
      retryOptions({ closing: AbortSignal.abort() }),
    )
    assert.deepEqual(closed, { state: 'abandoned' })
    const news = new AbortController()
    const failures: number[] = []
    const answer = await retryWrite(
      async failed => {
        failures.push(failed)
        if (news.signal.aborted) return 'heard'
        setImmediate(() => news.abort())
        throw away
      },
      { ...retryOptions({ hurry: news.signal }), random: () => 10_000 },
    )
    assert.deepEqual([answer, failures], [{ state: 'written', value: 'heard' }, [0, 1]])
  })

  it('is tried no faster after a cancel request than before', async () => {
    const begun = performance.now()
    const answer = await retryWrite(
      async failed => {
        if (failed < 4) throw new MadhavaError('STORE_UNAVAILABLE')
        return failed
      },
      retryOptions({ hurry: AbortSignal.abort() }),
    )
    assert.deepEqual(answer, { state: 'written', value: 4 })
    // four pauses that double from half of 100 ms; a timer may ring one millisecond early
    assert.ok(performance.now() - begun >= 50 + 100 + 200 + 400 - 4, 'the store was asked without a pause')
  })

  it('is tried once and no further when the worker has closed, and a close ends a wait that is under way', async () => {
    const run = async (closing: AbortSignal, meanwhile: () => void = () => {}) => {
      let tries = 0
      const answer = await retryWrite(async () => {
        tries += 1
        // a spin would never come to an end by itself
        if (tries > 50) throw new MadhavaError('CLAIM_LOST')
        setImmediate(meanwhile)
        throw new MadhavaError('STORE_UNAVAILABLE')
      }, retryOptions({ closing }))
      return [answer.state, tries]
    }
    assert.deepEqual(await run(AbortSignal.abort()), ['abandoned', 1])
    const closing = new AbortController()
    assert.deepEqual(await run(closing.signal, () => closing.abort()), ['abandoned', 2])
  })
})
