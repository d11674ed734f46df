// Text of strangers: nothing in it is hidden, and it turns nothing beside it around.
import { segmentsOf } from '../format/hidden-characters.ts'

export const SafeText = ({ text }: { text: string }) => (
  <bdi>
    {segmentsOf(text).map(({ text: part, isHidden }, at) =>
      isHidden ? (
        <span key={at} class="hidden-character">
          {part}
        </span>
      ) : (
        part
      ),
    )}
  </bdi>
)
