// The submission as a command for a shell.
import { CopyButton } from '../../parts/copy.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { get } from '../../state/api.ts'
import { useCell } from '../../state/cell.ts'
import { me } from '../../state/me.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { addressOfApi, asCurl } from './submission.ts'
import type { Draft } from './use-draft.ts'

export const Curl = ({ draft }: { draft: Draft }) => {
  const [t, who] = [useTexts(), useCell(me)]
  const asked = useAsked('api-address', signal =>
    get<{ processes: { role: string; alive: boolean; address: string | null }[] | null }>('/api/', {
      signal,
    }),
  )
  const { hostname, origin } = location
  const to = addressOfApi(asked.value?.processes ?? null, { hostname, origin, login: who?.name ?? '' })
  const command = asCurl(draft.value, to)
  return (
    <details class="card block">
      <summary>{t.newTask.asCurl}</summary>
      <div class="block-head">
        <CopyButton text={command} />
        {to.login === null ? null : <span class="soft">{t.newTask.curlByDashboard}</span>}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <pre class="code" tabIndex={0}>
        <SafeText text={command} />
      </pre>
    </details>
  )
}
