// The form of a submission: params and options as fields, or all of it as JSON; the same as a command; and the way to
// the task that it makes.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { type ExactJson, printExact } from '../../format/exact-json.ts'
import { type ExactObject, fieldOf, readJson } from '../../format/exact-object.ts'
import { uploadIn } from '../../format/file-rule.ts'
import type { KindRow } from '../../format/kind-list.ts'
import { tell } from '../../frame/toasts.tsx'
import { CopyButton } from '../../parts/copy.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { ProblemNote } from '../../parts/states.tsx'
import { Link, navigate, useQuery } from '../../router.tsx'
import { ProblemError, post, problemIn } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { newKey } from '../../state/submit-once.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { Curl } from './curl-part.tsx'
import { FieldRow } from './field-row.tsx'
import { placeProblems } from './problem-places.ts'
import { type FormEntry, fieldsOf, formOf, isGroup, keyOf } from './schema-form.ts'
import { optionsOf } from './submission.ts'
import { type Draft, itemsOf, useDraft } from './use-draft.ts'

/** One key for one submission: however often it is sent, one task is made. */
const useSubmitKey = (): ((body: string) => string) => {
  const last = useRef({ body: '', key: '' })
  return body => {
    if (last.current.body !== body) last.current = { body, key: newKey() }
    return last.current.key
  }
}

const Entries = ({
  entries,
  ...rest
}: {
  entries: readonly FormEntry[]
  draft: Draft
  faultOf: (key: string) => string | null
}) => (
  <>
    {entries.map(entry =>
      isGroup(entry) ? (
        <fieldset key={keyOf(entry.path)} class="field-group">
          <legend>
            <SafeText text={entry.label} />
          </legend>
          {entry.help === null ? null : (
            <p class="field-help">
              <SafeText text={entry.help} />
            </p>
          )}
          {entry.fields.map(field => (
            <FieldRow key={keyOf(field.path)} field={field} {...rest} />
          ))}
        </fieldset>
      ) : (
        <FieldRow key={keyOf(entry.path)} field={entry} {...rest} />
      ),
    )}
  </>
)

const JsonPane = ({ draft }: { draft: Draft }) => {
  const t = useTexts()
  return (
    <div class="card block">
      <div class="block-head">
        <h2>
          <label for="whole-json">{t.newTask.whole}</label>
        </h2>
        <CopyButton text={draft.json} />
      </div>
      <textarea
        id="whole-json"
        class="code-input"
        rows={Math.min(30, Math.max(12, draft.json.split('\n').length + 1))}
        spellcheck={false}
        aria-invalid={draft.isJsonBroken || undefined}
        aria-describedby="whole-json-help"
        value={draft.json}
        onInput={event => draft.typeJson(event.currentTarget.value)}
      />
      <p id="whole-json-help" class="field-help">
        {draft.isJsonBroken ? <span class="field-fault">{t.newTask.faults.json}</span> : t.newTask.wholeHelp}
      </p>
    </div>
  )
}

const KindHead = ({ kind, kinds, begin }: Pick<TaskFormProps, 'kind' | 'kinds' | 'begin'>) => {
  const t = useTexts()
  return (
    <div class="kind-head">
      <label for="kind">{t.newTask.kind}</label>
      <select id="kind" value={kind.name} onChange={event => begin(event.currentTarget.value)}>
        {kinds.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <span class="kind-summary">
        <SafeText text={kind.summary} />
      </span>
      <Link href={`/kinds?${new URLSearchParams({ kind: kind.name })}`}>{t.newTask.aboutKind}</Link>
    </div>
  )
}

export interface TaskFormProps {
  /** The kind that was chosen. */
  kind: KindRow
  kinds: readonly KindRow[]
  first: () => ExactObject
  /** Begins anew with the example of a kind. */
  begin: (kind: string) => void
}

export const TaskForm = ({ kind: chosen, kinds, first, begin }: TaskFormProps) => {
  const [t, who, [query]] = [useTexts(), useCell(me), useQuery()]
  const words = t.newTask
  const isJson = query.get('view') === 'json'
  const draft = useDraft(first)
  // the JSON may name another one
  const named = fieldOf(draft.value, 'kind')
  const kind = kinds.find(({ name }) => name === named) ?? chosen
  const [problem, setProblem] = useState<{ of: string; error: ProblemError } | null>(null)
  const [isSending, setSending] = useState(false)
  const sending = useRef(false)
  const [tries, setTries] = useState(0)
  const form = useRef<HTMLFormElement>(null)
  const keyFor = useSubmitKey()

  const params = fieldOf(draft.value, 'params')
  const entries = useMemo(() => formOf(kind.params, ['params'], params), [kind, params])
  const options = useMemo(
    () => optionsOf(kind as unknown as ExactJson, words.options, words.groups),
    [kind, words],
  )
  const all = [...entries, ...options]
  const faults = draft.faults(all)
  const keys = fieldsOf(all).flatMap(field => [
    keyOf(field.path),
    ...itemsOf(field, draft.valueOf(field)).map(item => keyOf(item.path)),
  ])
  const told = problem?.error.problems ?? []
  const { byKey, rest } = placeProblems(told, isJson ? [] : keys)
  // what was said of a value that has changed since is no longer said
  const sentAt = (key: string): boolean => problem !== null && sameAt(problem.of, draft.value, key)
  /** Files that are needed and not there, or still on their way: said once the reader submits. */
  const lacking = new Set(isJson ? [] : missingFiles(all, draft))
  const faultOf = (key: string): string | null => {
    const fault = faults.get(key)
    if (fault !== undefined) return words.faults[fault]
    if (tries > 0 && lacking.has(key)) return t.files.needed
    const said = byKey.get(key)
    return said && sentAt(key) ? said.join('; ') : null
  }
  const optionKeys = fieldsOf(options).map(({ path }) => keyOf(path))
  const needsOptions = optionKeys.some(key => faultOf(key) !== null)
  const [optionsOpen, setOptionsOpen] = useState(() =>
    Object.keys(draft.value).some(name => !['kind', 'params'].includes(name)),
  )

  useEffect(() => {
    if (tries > 0) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [tries])

  const submit = async (): Promise<void> => {
    if (sending.current || !mayChange(who)) return
    if (draft.isJsonBroken || faults.size > 0 || lacking.size > 0) return setTries(count => count + 1)
    const body = printExact(draft.value, '')
    sending.current = true
    setSending(true)
    setProblem(null)
    try {
      const { id } = await post<{ id: string }>('/api/tasks', {
        body,
        headers: { 'Idempotency-Key': keyFor(body) },
      })
      tell(words.done, 'good')
      navigate(`/task/${id}`)
    } catch (error) {
      setProblem({ of: body, error: problemIn(error) })
      setTries(count => count + 1)
    } finally {
      sending.current = false
      setSending(false)
    }
  }
  const shownProblem =
    problem && (rest.length > 0 || told.length === 0)
      ? new ProblemError({
          code: problem.error.code,
          status: problem.error.status,
          // the places say it
          detail: rest.length > 0 ? '' : problem.error.message,
          problems: rest,
        })
      : null
  return (
    <form
      ref={form}
      class="task-form"
      noValidate
      onSubmit={event => {
        event.preventDefault()
        void submit()
      }}
    >
      <KindHead kind={kind} kinds={kinds} begin={begin} />
      <nav class="tabs form-tabs" aria-label={words.views}>
        {(['form', 'json'] as const).map(view => (
          <Link
            key={view}
            href={viewAddress(query, view)}
            {...((view === 'json') === isJson ? { 'aria-current': 'page' as const } : {})}
          >
            {view === 'json' ? 'JSON' : words.form}
          </Link>
        ))}
      </nav>
      {shownProblem ? <ProblemNote problem={shownProblem} /> : null}
      {isJson ? (
        <JsonPane draft={draft} />
      ) : (
        <>
          <div class="card block">
            <h2>{words.params}</h2>
            {entries.length === 0 ? <p class="soft">{words.noParams}</p> : null}
            <Entries entries={entries} draft={draft} faultOf={faultOf} />
          </div>
          <details
            class="card block"
            open={optionsOpen || needsOptions}
            onToggle={event => setOptionsOpen(event.currentTarget.open)}
          >
            <summary>
              {words.optionsTitle} <span class="soft">{words.optionsHint}</span>
            </summary>
            <Entries entries={options} draft={draft} faultOf={faultOf} />
          </details>
        </>
      )}
      <Curl draft={draft} />
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending || !mayChange(who)}>
          {words.submit}
        </button>
        <button type="button" class="button" onClick={() => begin(kind.name)}>
          {words.reset}
        </button>
        {mayChange(who) ? null : <span class="soft">{t.frame.viewer}</span>}
      </div>
    </form>
  )
}

/** The keys of fields for a file that must have one and have none. */
const missingFiles = (entries: readonly FormEntry[], draft: Draft): string[] =>
  fieldsOf(entries)
    .flatMap(field => [field, ...itemsOf(field, draft.valueOf(field))])
    .filter(
      field =>
        field.control === 'file' &&
        field.isRequired &&
        !field.takesNull &&
        // an object that may be left out asks for nothing as long as it is
        (!field.isInOptional || draft.valueOf({ ...field, path: field.path.slice(0, -1) }) !== undefined) &&
        uploadIn(draft.valueOf(field)) === null,
    )
    .map(({ path }) => keyOf(path))

const viewAddress = (query: URLSearchParams, view: 'form' | 'json'): string => {
  const next = new URLSearchParams(query)
  if (view === 'json') next.set('view', view)
  else next.delete('view')
  return `?${next}`
}

/** Whether the value at the key is the one that was sent. */
const sameAt = (sent: string, value: ExactJson, key: string): boolean => {
  const at = (whole: ExactJson): string => {
    const path = key.split('.')
    const found = path.reduce<ExactJson | undefined>(
      (held, name) => (Array.isArray(held) ? held[Number(name)] : fieldOf(held, name)),
      whole,
    )
    return found === undefined ? '' : printExact(found, '')
  }
  return at(readJson(sent)) === at(value)
}
