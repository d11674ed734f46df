// JSON values for property tests, as a kind may hand them over: without the integers that a double cannot be trusted with
// and without fields of the name __proto__.
import fc from 'fast-check'

const isLarge = (value: unknown): boolean => Number.isInteger(value) && !Number.isSafeInteger(value)

export const handedValues = (): fc.Arbitrary<unknown> =>
  fc
    .jsonValue()
    .map(value =>
      JSON.parse(JSON.stringify(value), (key, inner: unknown) =>
        key === '__proto__' ? undefined : isLarge(inner) ? 0.5 : inner,
      ),
    )
