// Questions to whoever sits at the terminal, by @clack/prompts. They stand on standard error, so that a command's output
// stays what it is.
import type { Readable, Writable } from 'node:stream'
import type { Machine } from './environment.ts'
import { ConsoleError, EXIT, usage } from './exit.ts'
import { oneLine } from './terminal/safe-text.ts'
import type { Screen } from './terminal/screen.ts'
import { PLAIN, unpainted } from './terminal/style.ts'

export interface Questions {
  /** Whether there is somebody to ask. */
  canAsk(): boolean
  text(message: string, options?: { initial?: string; optional?: boolean }): Promise<string>
  /** What is typed does not show. */
  secret(message: string, options?: { optional?: boolean }): Promise<string>
  confirm(message: string, initial?: boolean): Promise<boolean>
  choose<Value extends string>(
    message: string,
    options: readonly { value: Value; label: string; hint?: string }[],
  ): Promise<Value>
}

export interface QuestionsDeps {
  input: Machine['input']
  err: Screen
  signal(): AbortSignal
  /** Runs a question while nothing else reads the terminal. */
  alone?<T>(ask: () => Promise<T>): Promise<T>
}

/** The same terminal; without colours if nobody wants them. */
const promptOutput = ({ stream, style }: Screen): Writable =>
  new Proxy(stream as unknown as Writable, {
    get(target, name) {
      const found = Reflect.get(target, name) as unknown
      if (name === 'write' && style === PLAIN)
        return (text: string | Uint8Array, ...rest: never[]) =>
          target.write(typeof text === 'string' ? unpainted(text) : text, ...rest)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })

/** Each call rejects with a ConsoleError when nobody can be asked, or when they end it by Ctrl-C. */
export const createQuestions = ({ input, err, signal, alone = ask => ask() }: QuestionsDeps): Questions => {
  const canAsk = (): boolean => input.isTTY === true && err.canRedraw
  const ask = <T>(
    question: (
      prompts: typeof import('@clack/prompts'),
      common: { input: Readable; output: Writable; signal: AbortSignal },
    ) => Promise<T | symbol>,
  ): Promise<T> => {
    if (!canAsk())
      throw usage(
        'There is nobody to ask here: this is no terminal',
        'madhava help COMMAND shows the options',
      )
    return alone(async () => {
      const prompts = await import('@clack/prompts')
      const ending = signal()
      const answer = await question(prompts, {
        input: input as Readable,
        output: promptOutput(err),
        signal: ending,
      })
      ending.throwIfAborted()
      if (prompts.isCancel(answer)) throw new ConsoleError(EXIT.interrupted, '')
      return answer as T
    })
  }
  const needed = (optional: boolean) => (value: string | undefined) =>
    optional || (value ?? '') !== '' ? undefined : 'Please type something'
  return {
    canAsk,
    text: async (message, { initial, optional = false } = {}) =>
      (await ask<string | undefined>((prompts, common) =>
        prompts.text({
          ...common,
          message: oneLine(message),
          ...(initial === undefined ? {} : { initialValue: initial }),
          validate: needed(optional),
        }),
      )) ?? '',
    secret: async (message, { optional = false } = {}) =>
      (await ask<string | undefined>((prompts, common) =>
        prompts.password({ ...common, message: oneLine(message), validate: needed(optional) }),
      )) ?? '',
    confirm: (message, initial = false) =>
      ask<boolean>((prompts, common) =>
        prompts.confirm({ ...common, message: oneLine(message), initialValue: initial }),
      ),
    choose: <Value extends string>(
      message: string,
      options: readonly { value: Value; label: string; hint?: string }[],
    ) =>
      ask<Value>(
        (prompts, common) =>
          prompts.select<string>({
            ...common,
            message: oneLine(message),
            options: options.map(({ value, label, hint }) => ({
              value,
              label: oneLine(label),
              ...(hint === undefined ? {} : { hint: oneLine(hint) }),
            })),
          }) as Promise<Value | symbol>,
      ),
  }
}
