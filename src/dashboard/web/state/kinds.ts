// The kinds, asked for.
import { type KindList, readKinds } from '../format/kind-list.ts'
import { getText } from './api.ts'
import { type Asked, useAsked } from './use-asked.ts'

export const useKinds = (): Asked<KindList> =>
  useAsked('kinds', async signal => readKinds(await getText('/api/kinds', { signal })))
