// A page of the web, parsed by a worker: a URL in, a summary out, and the JSON saves itself.
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Json, Task } from '../../../../client/task.ts'
import type { KindRow } from '../../format/kind-list.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { TextField } from '../../parts/form-field.tsx'
import { ProblemNote } from '../../parts/states.tsx'
import { useQuery } from '../../router.tsx'
import { type ProblemError, problemIn } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { newKey, submitOnce } from '../../state/submit-once.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { TaskRun } from '../quick/task-run.tsx'
import { want } from '../quick/wanted.ts'
import { WithKind } from '../quick/with-kind.tsx'
import { asUrl, fileNameOf } from './page-result.ts'
import { PageSummary } from './page-summary.tsx'

const KIND = 'parse'
const TITLE = 200
const urlOf = ({ params }: Task): string | null => {
  const { url } = (params ?? {}) as { [key: string]: Json }
  return typeof url === 'string' ? url : null
}

const UrlForm = ({ kind, made }: { kind: KindRow; made: (id: string) => void }) => {
  const [t, who] = [useTexts(), useCell(me)]
  const words = t.files
  const [url, setUrl] = useState('')
  const [robots, setRobots] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const [problem, setProblem] = useState<ProblemError | null>(null)
  const [isSending, setSending] = useState(false)
  const sending = useRef(false)
  const leaving = useRef<AbortController | null>(null)
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    const mine = new AbortController()
    leaving.current = mine
    return () => mine.abort()
  }, [])

  const submit = async (): Promise<void> => {
    const signal = leaving.current?.signal
    if (sending.current || !signal || !mayChange(who)) return
    const wanted = asUrl(url)
    if (!URL.canParse(wanted)) {
      setFault(words.urlFault)
      form.current?.querySelector('input')?.focus()
      return
    }
    sending.current = true
    setUrl(wanted)
    setFault(null)
    setProblem(null)
    setSending(true)
    try {
      const submission = { kind: KIND, params: { url: wanted, robots }, title: wanted.slice(0, TITLE) }
      const id = await submitOnce(submission, newKey(), { signal, broke: setProblem })
      want(id)
      made(id)
    } catch (error) {
      if (!signal.aborted) setProblem(problemIn(error))
    } finally {
      sending.current = false
      if (!signal.aborted) setSending(false)
    }
  }
  return (
    <form
      ref={form}
      class="quick"
      noValidate
      onSubmit={event => {
        event.preventDefault()
        void submit()
      }}
    >
      {problem ? <ProblemNote problem={problem} /> : null}
      <fieldset class="card block plain-set" disabled={isSending || !mayChange(who)}>
        <legend class="unseen">{t.menu.parse}</legend>
        <TextField
          id="url"
          label={words.url}
          help={kind.summary}
          fault={fault}
          value={url}
          change={setUrl}
          input={{
            inputMode: 'url',
            autocomplete: 'off',
            spellcheck: false,
            placeholder: 'https://example.org/',
          }}
        />
        <div class="field">
          <span />
          <label class="check">
            <input
              type="checkbox"
              checked={robots}
              onChange={event => setRobots(event.currentTarget.checked)}
            />{' '}
            {words.robots}
          </label>
        </div>
      </fieldset>
      <div class="form-foot">
        <button type="submit" class="button primary" disabled={isSending || !mayChange(who)}>
          {words.parse}
        </button>
        {isSending ? <span role="status">{words.submitting}</span> : null}
        {mayChange(who) ? null : <span class="soft">{t.frame.viewer}</span>}
      </div>
    </form>
  )
}

export const ParsePage = () => {
  const t = useTexts()
  const [query, change] = useQuery()
  const id = query.get('task')
  return (
    <>
      <PageHead title={t.menu.parse} note={t.files.parseNote} />
      {id === null ? (
        <WithKind name={KIND}>{kind => <UrlForm kind={kind} made={task => change({ task })} />}</WithKind>
      ) : (
        <TaskRun
          key={id}
          id={id}
          kind={KIND}
          product={task => ({ href: `/api/task/${task.id}/result`, name: fileNameOf(urlOf(task)) })}
          saveWords={t.files.saveJson}
          anew={{ href: '/parse', words: t.files.anotherPage }}
        >
          {task => <PageSummary task={task} />}
        </TaskRun>
      )}
    </>
  )
}
