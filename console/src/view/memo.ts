import { Component, createElement, type ComponentChild, type FunctionComponent } from 'preact';

/** The component drawn again only when one of its properties is another value. */
export function memo<Properties extends object>(Drawn: (properties: Properties) => ComponentChild) {
  return class Memo extends Component<Properties> {
    override shouldComponentUpdate(next: Properties): boolean {
      const now = this.props as Properties;
      for (const key in next) if (next[key] !== now[key]) return true;
      return false;
    }
    override render(properties: Properties): ComponentChild {
      return createElement(Drawn as FunctionComponent<Properties>, properties);
    }
  };
}
