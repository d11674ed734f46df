// A new task: first its kind, then a form that begins with the kind's example, or with a task that is known.
import { useState } from 'preact/hooks'
import { type ExactJson, parseExact } from '../../format/exact-json.ts'
import { textField } from '../../format/exact-object.ts'
import type { KindList } from '../../format/kind-list.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { Empty, WhenAsked } from '../../parts/states.tsx'
import { Link, navigate, useQuery } from '../../router.tsx'
import { getText } from '../../state/api.ts'
import { useKinds } from '../../state/kinds.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { submissionFrom, submissionOf } from './submission.ts'
import { TaskForm } from './task-form.tsx'

const Chooser = ({ list, wanted }: { list: KindList; wanted: string | null }) => {
  const t = useTexts()
  const words = t.newTask
  const broken = list.trouble.find(({ name }) => name === wanted)
  return (
    <>
      {wanted === null ? null : (
        <p class="note bad" role="alert">
          {broken ? t.problems.KIND_IN_TROUBLE : t.problems.KIND_UNKNOWN}{' '}
          <SafeText text={broken ? `${broken.file}: ${broken.reason}` : wanted} />
        </p>
      )}
      {list.kinds.length === 0 ? <Empty text={words.noKinds} /> : <h2 class="choose-head">{words.choose}</h2>}
      <ul class="kind-cards">
        {list.kinds.map(({ name, summary }) => (
          <li key={name}>
            <Link class="card kind-card" href={`/new?${new URLSearchParams({ kind: name })}`}>
              <code>
                <SafeText text={name} />
              </code>
              <span>
                <SafeText text={summary} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {list.trouble.length === 0 ? null : (
        <p class="soft">
          {words.inTrouble(list.trouble.length)} <Link href="/kinds">{t.menu.kinds}</Link>
        </p>
      )}
    </>
  )
}

const Form = ({ list, task }: { list: KindList; task: ExactJson | null }) => {
  const [query] = useQuery()
  const [turn, setTurn] = useState(0)
  const name = task === null ? query.get('kind') : textField(task, 'kind')
  const kind = list.kinds.find(each => each.name === name)
  if (!kind) return <Chooser list={list} wanted={name} />
  const begin = (next: string): void => {
    const view = query.get('view')
    navigate(`/new?${new URLSearchParams({ kind: next, ...(view === null ? {} : { view }) })}`)
    setTurn(count => count + 1)
  }
  return (
    <TaskForm
      key={`${name} ${query.get('from')} ${turn}`}
      kind={kind}
      kinds={list.kinds}
      begin={begin}
      first={() =>
        task === null ? submissionOf(kind) : submissionFrom(task, kind as unknown as ExactJson, Date.now())
      }
    />
  )
}

const Edited = ({ list, id }: { list: KindList; id: string }) => {
  const t = useTexts()
  const asked = useAsked(`from ${id}`, async signal =>
    parseExact(await getText(`/api/task/${encodeURIComponent(id)}`, { signal })),
  )
  return (
    <>
      <p class="from-note">
        {t.newTask.from} <Link href={`/task/${encodeURIComponent(id)}`}>{id}</Link>
      </p>
      <WhenAsked asked={asked}>{task => <Form list={list} task={task} />}</WhenAsked>
    </>
  )
}

export const NewTaskPage = () => {
  const t = useTexts()
  const [query] = useQuery()
  const from = query.get('from')
  const asked = useKinds()
  return (
    <>
      <PageHead title={t.menu.newTask} />
      <WhenAsked asked={asked}>
        {list => (from === null ? <Form list={list} task={null} /> : <Edited list={list} id={from} />)}
      </WhenAsked>
    </>
  )
}
