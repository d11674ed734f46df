// The tasks.
import type { TaskView } from '../../../../client/task.ts'
import { get } from '../../data/api.ts'
import { useAsked } from '../../data/use-asked.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { StatusBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import { useTexts } from '../../texts/use-texts.ts'

export const TasksPage = () => {
  const t = useTexts()
  const words = t.tasks
  const asked = useAsked('tasks', signal => get<{ tasks: TaskView[] }>('/api/tasks', { signal }))
  const columns: Column<TaskView>[] = [
    { key: 'status', head: words.columns.status, cell: ({ status }) => <StatusBadge status={status} /> },
    { key: 'kind', head: words.columns.kind, cell: ({ kind }) => <SafeText text={kind} /> },
    {
      key: 'title',
      head: words.columns.title,
      isHead: true,
      isWide: true,
      cell: ({ id, title }) => <Link href={`/task/${id}`}>{title ?? words.untitled}</Link>,
    },
    { key: 'created', head: words.columns.created, align: 'right', cell: row => <Time at={row.createdAt} /> },
  ]
  return (
    <>
      <PageHead title={t.menu.tasks} />
      <WhenAsked asked={asked}>
        {({ tasks }) => <Table label={words.table} columns={columns} rows={tasks} idOf={({ id }) => id} />}
      </WhenAsked>
    </>
  )
}
