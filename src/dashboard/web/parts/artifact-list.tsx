// The files that a task has made: what they are, a way to save each, and a small view of pictures. They are strangers'
// bytes: the browser shows pictures by their listed type alone, and only saves everything else.
import type { Artifact } from '../../../client/task.ts'
import { useFormats, useTexts } from '../texts/use-texts.ts'
import { CopyButton } from './copy.tsx'
import { SafeText } from './safe-text.tsx'

/** No SVG: it is a document, not a picture. */
const PICTURES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/avif']
/** Larger ones, and more of them, would be loaded for a view of a few pixels. */
const VIEW_BYTES = 8 * 1024 ** 2
const VIEWS = 40
const DIGEST_SHOWN = 12

/** @param address of the files, without the name */
export const artifactHref = (address: string, name: string): string =>
  `${address}/${encodeURIComponent(name)}`

/** The pictures among them that are shown. */
export const picturesIn = (artifacts: readonly Artifact[]): Artifact[] =>
  artifacts.filter(({ type, bytes }) => PICTURES.includes(type) && bytes <= VIEW_BYTES).slice(0, VIEWS)

export const ArtifactList = ({ artifacts, address }: { artifacts: readonly Artifact[]; address: string }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.files
  if (artifacts.length === 0) return null
  const shown = new Set(picturesIn(artifacts).map(({ name }) => name))
  return (
    <section class="card block" aria-label={words.artifacts}>
      <div class="block-head">
        <h2>{words.artifacts}</h2>
        <span class="soft">{f.bytes(artifacts.reduce((sum, { bytes }) => sum + bytes, 0))}</span>
      </div>
      <ul class="artifacts">
        {artifacts.map(({ name, type, bytes, sha256 }) => {
          const href = artifactHref(address, name)
          return (
            // a later attempt may have made another file of this name
            <li key={`${name} ${sha256}`}>
              {shown.has(name) ? <img class="picture" src={href} alt="" loading="lazy" /> : null}
              <span>
                <a href={href} download={name}>
                  <SafeText text={name} />
                </a>
                <br />
                <span class="soft small">
                  <SafeText text={type} /> · {f.bytes(bytes)} ·{' '}
                  <code title={sha256}>{sha256.slice(0, DIGEST_SHOWN)}</code>{' '}
                  <CopyButton text={sha256} label={words.copyDigest} />
                </span>
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
