// A page that needs one kind: what it shows is there if the kind is; otherwise the page says why not.
import type { ComponentChildren } from 'preact'
import type { KindRow } from '../../format/kind-list.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { Link } from '../../router.tsx'
import { useKinds } from '../../state/kinds.ts'
import { useTexts } from '../../texts/use-texts.ts'

export const WithKind = ({
  name,
  children,
}: {
  name: string
  children: (kind: KindRow) => ComponentChildren
}) => {
  const t = useTexts()
  const asked = useKinds()
  return (
    <WhenAsked asked={asked}>
      {({ kinds, trouble }) => {
        const kind = kinds.find(each => each.name === name)
        if (kind) return children(kind)
        const broken = trouble.find(each => each.name === name)
        return (
          <div class="note bad" role="alert">
            <p>
              <strong>{t.files.noKind(name)}</strong>{' '}
              {broken ? <SafeText text={`${broken.file}: ${broken.reason}`} /> : t.files.kindMissing}
            </p>
            <p>
              <Link href="/kinds">{t.menu.kinds}</Link>
            </p>
          </div>
        )
      }}
    </WhenAsked>
  )
}
