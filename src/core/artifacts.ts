// Files that attempts make: how they are named, how the record lists them, and which blobs are nobody's. Pure.
import type { Artifact } from './kind.ts'
import type { Move } from './moves.ts'
import type { TaskRecord } from './task.ts'

/** An artifact with the blob that has its bytes. */
export type KeptArtifact = NonNullable<TaskRecord['artifacts']>[number]

export const ARTIFACT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
export const ARTIFACT_TYPE =
  /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}(; ?charset=[a-z0-9-]{1,20})?$/
/** The record lists them all, and is small. */
export const ARTIFACTS_MAX = 200

/** Why a file with this name and type cannot be kept; null: it can. `type` null: it is found in the bytes. */
export const whyArtifactRefused = (name: unknown, type: unknown): string | null => {
  if (typeof name !== 'string' || !ARTIFACT_NAME.test(name))
    return 'The name of an artifact has 1 to 100 letters, digits, dots, hyphens and underscores, and begins with a letter or digit'
  if (type !== null && (typeof type !== 'string' || !ARTIFACT_TYPE.test(type)))
    return 'The type of an artifact is a media type in lower case, such as text/csv or text/plain; charset=utf-8'
  return null
}

/** The blob of the nth artifact that the holder of a claim writes. No two writes have the same one. */
export const artifactFile = (claim: number, n: number): string => `artifact.${claim}.${n}`
const FILE = /^artifact\.(\d{1,15})\.\d{1,15}$/

export const artifactsOf = (task: Pick<TaskRecord, 'artifacts'>): readonly KeptArtifact[] =>
  task.artifacts ?? []

export const findArtifact = (task: Pick<TaskRecord, 'artifacts'>, name: string): KeptArtifact | null =>
  artifactsOf(task).find(artifact => artifact.name === name) ?? null

/** Lists an artifact, in place of one with its name. The status stays. */
export const listArtifact =
  (artifact: KeptArtifact, at: string): Move =>
  task => ({
    ...task,
    artifacts: [...artifactsOf(task).filter(({ name }) => name !== artifact.name), artifact],
    updatedAt: at,
  })

/** As clients see it. */
export const showArtifact = ({ name, bytes, type, sha256 }: KeptArtifact): Artifact => ({
  name,
  bytes,
  type,
  sha256,
})

/**
 * The blobs of artifacts that no record lists, among those that were there when the record was as it is now: what a
 * killed attempt has left, or what was replaced. A later holder's are never among them.
 */
export const unlistedArtifacts = (
  task: Pick<TaskRecord, 'artifacts' | 'claim'>,
  blobs: readonly string[],
): string[] => {
  const listed = new Set(artifactsOf(task).map(({ file }) => file))
  return blobs.filter(name => {
    const claim = FILE.exec(name)?.[1]
    return claim !== undefined && Number(claim) <= task.claim && !listed.has(name)
  })
}
