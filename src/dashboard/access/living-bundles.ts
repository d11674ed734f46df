// Which bundles still have a password as their setting: those that the document names and that live.
import type { ConfiguredPassword } from '../../core/account-forms.ts'

export interface LivingOptions {
  /** Whether processes of a bundle live, as their presences say. */
  isAlive: (bundle: string) => Promise<boolean>
  /** The store's. */
  clock: () => Date
}

/** From its start to its first presence, a bundle is alive and cannot be seen. */
export const UNSEEN_MS = 30_000

/** Those that live, or have put the password in place just now. @throws STORE_UNAVAILABLE */
export const livingBundles = async (
  bundles: ConfiguredPassword['bundles'],
  { isAlive, clock }: LivingOptions,
): Promise<ConfiguredPassword['bundles']> => {
  const living: ConfiguredPassword['bundles'] = {}
  for (const [bundle, at] of Object.entries(bundles)) {
    const isNew = Math.abs(clock().getTime() - Date.parse(at)) < UNSEEN_MS
    if (isNew || (await isAlive(bundle))) living[bundle] = at
  }
  return living
}
