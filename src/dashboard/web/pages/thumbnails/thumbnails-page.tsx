// Thumbnails of an image: it is dropped or chosen, sent, scaled down by a worker, and the zip saves itself. The task
// stands in the address, so that a reload goes on with it.
import type { Json, Task } from '../../../../client/task.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { artifactHref, picturesIn } from '../../parts/artifact-list.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { useQuery } from '../../router.tsx'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { TaskRun } from '../quick/task-run.tsx'
import { WithKind } from '../quick/with-kind.tsx'
import { ImageForm } from './image-form.tsx'
import { KIND } from './use-image-task.ts'

const ZIP = 'thumbnails.zip'
const addressOf = (task: Task): string => `/api/task/${task.id}/artifacts`
/** Numbers and texts of the kind's result, which may be of another version. */
const inResult = (value: Json | undefined, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value[name] : undefined

const measured = (value: Json | undefined): string | null => {
  const [width, height] = [inResult(value, 'width'), inResult(value, 'height')]
  return typeof width === 'number' && typeof height === 'number' ? `${width} × ${height}` : null
}

const Gallery = ({ task }: { task: Task }) => {
  const [t, f] = [useTexts(), useFormats()]
  const listed = inResult(task.result, 'sizes')
  const sizes = Array.isArray(listed) ? listed : []
  const original = measured(task.result)
  return (
    <>
      {original === null ? null : (
        <p class="soft">
          {t.files.original}: {original}
        </p>
      )}
      <ul class="gallery">
        {picturesIn(task.artifacts ?? []).map(({ name, bytes, sha256 }) => {
          const href = artifactHref(addressOf(task), name)
          const size = measured(sizes.find(each => inResult(each, 'artifact') === name))
          return (
            <li key={`${name} ${sha256}`}>
              <img src={href} alt={t.files.thumbnail(size ?? name)} />
              <a href={href} download={name}>
                <SafeText text={name} />
              </a>
              <span class="soft small">{[size, f.bytes(bytes)].filter(Boolean).join(' · ')}</span>
            </li>
          )
        })}
      </ul>
    </>
  )
}

export const ThumbnailsPage = () => {
  const t = useTexts()
  const [query, change] = useQuery()
  const id = query.get('task')
  return (
    <>
      <PageHead title={t.menu.thumbnails} note={t.files.thumbnailsNote} />
      {id === null ? (
        <WithKind name={KIND}>{kind => <ImageForm kind={kind} made={task => change({ task })} />}</WithKind>
      ) : (
        <TaskRun
          key={id}
          id={id}
          kind={KIND}
          product={task => ({ href: artifactHref(addressOf(task), ZIP), name: ZIP })}
          saveWords={t.files.saveZip}
          anew={{ href: '/thumbnails', words: t.files.anotherImage }}
        >
          {task => <Gallery task={task} />}
        </TaskRun>
      )}
    </>
  )
}
