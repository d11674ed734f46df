// Which page is shown. A page is a component in pages/ and a row in paths.ts; here they meet.
import type { ComponentChild, ComponentType } from 'preact'
import { useEffect, useLayoutEffect, useState } from 'preact/hooks'
import { Layout } from './frame/layout.tsx'
import { PageHead } from './frame/page-head.tsx'
import { AccountPage } from './pages/account/account-page.tsx'
import { AuditPage } from './pages/audit/audit-page.tsx'
import { DeadPage } from './pages/dead/dead-page.tsx'
import { KindsPage } from './pages/kinds/kinds-page.tsx'
import { NewTaskPage } from './pages/new-task/new-task-page.tsx'
import { OverviewPage } from './pages/overview/overview-page.tsx'
import { PeoplePage } from './pages/people/people-page.tsx'
import { ProcessPage } from './pages/process/process-page.tsx'
import { ProcessesPage } from './pages/processes/processes-page.tsx'
import { SettingsPage } from './pages/settings-page.tsx'
import { TaskPage } from './pages/task/task-page.tsx'
import { TasksPage } from './pages/tasks/tasks-page.tsx'
import { WorkersPage } from './pages/workers/workers-page.tsx'
import { loadedPage } from './parts/loaded-page.tsx'
import { Empty, ProblemNote } from './parts/states.tsx'
import { OWN_TASKS, type PageName, pageAt } from './paths.ts'
import { Link, navigate, usePathname } from './router.tsx'
import type { ProblemError } from './state/api.ts'
import { useCell } from './state/cell.ts'
import { liveState } from './state/live.ts'
import { loadMe, me } from './state/me.ts'
import { useRights } from './state/rights.ts'
import { useTexts } from './texts/use-texts.ts'

/** What a page is given: the words of its address. */
export type PageProps = { words: Record<string, string> }

const COMPONENTS: Readonly<Record<PageName, ComponentType<PageProps>>> = {
  overview: OverviewPage,
  tasks: TasksPage,
  newTask: NewTaskPage,
  thumbnails: loadedPage(async () => (await import('./pages/quick/pages.ts')).ThumbnailsPage),
  parse: loadedPage(async () => (await import('./pages/quick/pages.ts')).ParsePage),
  todo: loadedPage(async () => (await import('./pages/todo/todo-page.tsx')).TodoPage),
  dead: DeadPage,
  processes: ProcessesPage,
  workers: WorkersPage,
  kinds: KindsPage,
  settings: SettingsPage,
  people: PeoplePage,
  audit: AuditPage,
  account: AccountPage,
  task: TaskPage,
  process: ProcessPage,
}

/** To where such a reader begins. */
const ToOwnTasks = () => {
  useLayoutEffect(() => navigate(OWN_TASKS, { replace: true }), [])
  return null
}

const NotAllowed = () => {
  const t = useTexts()
  return (
    <>
      <PageHead title="403" />
      <Empty text={t.frame.notAllowed}>
        <Link class="button" href={OWN_TASKS}>
          {t.task.toTasks}
        </Link>
      </Empty>
    </>
  )
}

const NotFound = () => {
  const t = useTexts()
  return (
    <>
      <PageHead title="404" />
      <Empty text={t.frame.notFound}>
        <Link class="button" href="/">
          {t.frame.back}
        </Link>
      </Empty>
    </>
  )
}

/** Asks who reads, and again whenever the connection is back: the dashboard may be another one by then. */
const useMe = (): { problem: ProblemError | null; again: () => void } => {
  const [problem, setProblem] = useState<ProblemError | null>(null)
  const isLive = useCell(liveState) === 'live'
  const load = (): void => {
    loadMe().then(
      () => setProblem(null),
      (error: ProblemError) => setProblem(error),
    )
  }
  useEffect(() => {
    if (isLive || me.get() === null) load()
  }, [isLive])
  return { problem, again: load }
}

export const App = () => {
  const path = usePathname()
  const { problem, again } = useMe()
  const who = useCell(me)
  const found = pageAt(path)
  const rights = useRights()
  const shown = (): ComponentChild => {
    if (!found) return <NotFound />
    if (!rights.includes(found.needs)) return found.name === 'overview' ? <ToOwnTasks /> : <NotAllowed />
    const Page = COMPONENTS[found.name]
    // another task is another page, and begins anew
    return <Page key={path} words={found.words} />
  }
  return (
    <Layout>
      {problem && !who ? <ProblemNote problem={problem} again={again} /> : null}
      {shown()}
    </Layout>
  )
}
