// An error of a task or of one attempt: what it says, what caused it, and where it was thrown.
import type { Json } from '../../../../client/task.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { useTexts } from '../../texts/use-texts.ts'

interface Detail {
  names: string[]
  causes: { names: string[]; message: string }[]
  stack: string[]
  problems: { path: string; problem: string }[]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const textsIn = (value: unknown): string[] => listIn(value).filter(each => typeof each === 'string')

/** `detail` of an error may be anything: what has another form is left out. */
export const detailOf = (detail: Json): Detail => {
  const found: Record<string, unknown> = isObject(detail) ? detail : {}
  return {
    names: textsIn(found.names),
    causes: listIn(found.causes).flatMap(cause =>
      isObject(cause) && typeof cause.message === 'string'
        ? [{ names: textsIn(cause.names), message: cause.message }]
        : [],
    ),
    stack: textsIn(found.stack),
    problems: listIn(found.problems).flatMap(each =>
      isObject(each) && typeof each.path === 'string' && typeof each.problem === 'string'
        ? [{ path: each.path, problem: each.problem }]
        : [],
    ),
  }
}

export interface TaskError {
  code: string
  message: string
  detail: Json
}

/** `KIND_FAILED · TypeError`: the code, and the name of what was thrown. */
export const ErrorCode = ({ error }: { error: TaskError }) => {
  const [name] = detailOf(error.detail).names
  return (
    <code>
      <SafeText text={name === undefined || name === error.code ? error.code : `${error.code} · ${name}`} />
    </code>
  )
}

/** Causes, problems and stack; nothing if the error has none of them. */
export const ErrorDetails = ({ error, isOpen = false }: { error: TaskError; isOpen?: boolean }) => {
  const words = useTexts().task
  const { causes, stack, problems } = detailOf(error.detail)
  return (
    <>
      {causes.length === 0 ? null : (
        <ol class="causes">
          {causes.map(({ names, message }, place) => (
            <li key={place}>
              {words.causedBy} {names[0] === undefined ? null : <code>{<SafeText text={names[0]} />}</code>}{' '}
              <SafeText text={message} />
            </li>
          ))}
        </ol>
      )}
      {problems.map(({ path, problem }) => (
        <p key={path}>
          <code>
            <SafeText text={path} />
          </code>{' '}
          <SafeText text={problem} />
        </p>
      ))}
      {stack.length === 0 ? null : (
        <details class="stack" open={isOpen}>
          <summary>{words.stack}</summary>
          <pre class="code">
            <SafeText text={stack.join('\n')} />
          </pre>
        </details>
      )}
    </>
  )
}
