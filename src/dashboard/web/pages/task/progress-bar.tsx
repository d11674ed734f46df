// How far a running task is, in the middle of its page: a bar, the time left, and what the kind says of it.
import type { Task } from '../../../../client/task.ts'
import { Progress } from '../../parts/progress.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'

export const ProgressBar = ({ task }: { task: Task }) => {
  const [t, f] = [useTexts(), useFormats()]
  const { progress, status } = task
  if (status !== 'PROGRESS' || !progress) return null
  const { percent, note, etaSeconds } = progress
  return (
    <div class="card block task-progress">
      <Progress
        percent={percent}
        note={etaSeconds === null ? undefined : t.status.left(f.duration(etaSeconds * 1000))}
      />
      {note === null ? null : (
        <span class="soft">
          <SafeText text={note} />
        </span>
      )}
    </div>
  )
}
