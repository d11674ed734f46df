// A component that is drawn again only when one of its properties is another value. Preact keeps its own in a package
// for React's sake, which weighs more than this.
import { Component, type ComponentChildren, type ComponentType, h, type RenderableProps } from 'preact'

export const memo = <P extends object>(Inner: (props: P) => ComponentChildren): ComponentType<P> =>
  // the hook for this is a method of the class
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const before = this.props as Record<string, unknown>
      return Object.entries(next).some(([name, value]) => !Object.is(value, before[name]))
    }
    override render(props: RenderableProps<P>) {
      return h(Inner as ComponentType<P>, props as never)
    }
  }
