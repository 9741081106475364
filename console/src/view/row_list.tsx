import type { ComponentChild, ComponentType } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useWords, type Dictionary } from './words.ts';

/** Of the line of the columns' names, which stays at the top of the list. */
const HEAD_HEIGHT = 28;
/** Rows drawn beyond each edge, so that none is missing while one scrolls. */
const SPARE_ROWS = 3;

/** Rows are placed by their number since a multiple of this, so that the places stay small. */
const NUMBERS_PER_BASE = 1000;

/** What a list shows, newest first. */
export interface Rows<Row> {
  readonly length: number;
  /** How many rows were ever added at the front. */
  readonly added: number;
  readonly departed: number;
  at(index: number): Row | undefined;
}

/** What a list is of. */
export interface Listing<Row> {
  readonly testId: string;
  /** In CSS pixels, as `--row` in the style sheet. Every row is that high, whatever is in it. */
  readonly rowHeight: number;
  readonly idOf: (row: Row) => string;
  /** For the style sheet and tests: what stands out in the row. */
  readonly kindOf: (row: Row) => string;
  /** One element for each column; drawn again when one of its properties is another. */
  readonly Cells: ComponentType<{ row: Row; words: Dictionary }>;
}

interface Properties<Row> {
  readonly rows: Rows<Row>;
  readonly listing: Listing<Row>;
  readonly title: string;
  readonly columns: readonly string[];
  readonly onOpen: (row: Row) => void;
}

/**
 * A list of rows of one height. Only what can be seen is in the document. Rows that come in at the front move nothing that
 * is being read: once scrolled away from the newest, the list stays where it is.
 */
export function RowList<Row>({ rows, listing, title, columns, onOpen }: Properties<Row>) {
  const { testId, rowHeight, idOf, kindOf, Cells } = listing;
  const words = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 600 });
  const [activeId, setActiveId] = useState<string>();
  const addedBefore = useRef(rows.added);

  // Drawn for where it is about to be scrolled to, not for where it was.
  let { top } = view;
  const came = rows.added - addedBefore.current;
  addedBefore.current = rows.added;
  const topMax = HEAD_HEIGHT + rows.length * rowHeight - view.height;
  if (came > 0 && top >= rowHeight) top = view.top = Math.min(top + came * rowHeight, topMax);

  useLayoutEffect(() => {
    const element = scroller.current!;
    // To ask for it is a layout; the newest needs none.
    if (came > 0 && top >= rowHeight && element.scrollTop !== top) element.scrollTop = top;
  });
  useEffect(() => {
    const element = scroller.current!;
    const watch = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / rowHeight) - SPARE_ROWS);
  const end = Math.min(rows.length, Math.ceil((top + view.height) / rowHeight) + SPARE_ROWS);
  // A row keeps its number, counted from the oldest, and its place: when one comes in front, their container moves and no row
  // does. It moves by a transform, which is no layout.
  const base = Math.floor(rows.added / NUMBERS_PER_BASE) * NUMBERS_PER_BASE;
  const numberOf = (index: number): number => rows.added - index;
  // Ids of orders may hold anything; an element's id may not.
  const elementIdOf = (index: number): string => `${testId}-${numberOf(index)}`;
  const drawn: ComponentChild[] = [];
  let activeElementId: string | undefined;
  for (let index = first; index < end; ++index) {
    const row = rows.at(index)!;
    const id = idOf(row);
    const isActive = id === activeId;
    if (isActive) activeElementId = elementIdOf(index);
    drawn.push(
      <div
        key={id}
        role="row"
        id={elementIdOf(index)}
        data-id={id}
        data-kind={kindOf(row)}
        aria-rowindex={index + 2}
        aria-selected={isActive}
        class={isActive ? 'row row-active' : 'row'}
        style={{ top: `${(base - numberOf(index)) * rowHeight}px` }}
      >
        <Cells row={row} words={words} />
      </div>,
    );
  }

  const indexOfActive = (): number => {
    for (let index = 0; index < rows.length; ++index) if (idOf(rows.at(index)!) === activeId) return index;
    return -1;
  };

  const activate = (index: number): void => {
    const row = rows.at(index);
    const element = scroller.current!;
    if (!row) return;
    setActiveId(idOf(row));
    const rowTop = index * rowHeight;
    const seen = element.clientHeight - HEAD_HEIGHT - rowHeight;
    if (rowTop < element.scrollTop) element.scrollTop = rowTop;
    else if (rowTop > element.scrollTop + seen) element.scrollTop = rowTop - seen;
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    const index = indexOfActive();
    if (event.key === 'ArrowDown') activate(Math.min(index + 1, rows.length - 1));
    else if (event.key === 'ArrowUp') activate(Math.max(index - 1, 0));
    else if (event.key === 'Home') activate(0);
    else if (event.key === 'End') activate(rows.length - 1);
    else if ((event.key === 'Enter' || event.key === ' ') && index >= 0) onOpen(rows.at(index)!);
    else return;
    event.preventDefault();
  };

  const onClick = (event: MouseEvent): void => {
    const id = (event.target as Element).closest<HTMLElement>('[role=row][data-id]')?.dataset.id;
    for (let index = 0; id !== undefined && index < rows.length; ++index) {
      const row = rows.at(index)!;
      if (idOf(row) !== id) continue;
      setActiveId(id);
      onOpen(row);
      return;
    }
  };

  return (
    <section class={`pane pane-${testId}`} aria-labelledby={`${testId}-title`} data-testid={testId}>
      <header class="pane-head">
        <h2 id={`${testId}-title`}>{title}</h2>
        <span class="pane-count" data-testid={`${testId}-count`} data-length={rows.length} data-added={rows.added}>
          {rows.departed > 0 ? words.lists.departed(rows.length, rows.departed) : words.lists.shown(rows.length)}
        </span>
      </header>
      <div
        class="rows"
        role="grid"
        tabIndex={0}
        aria-labelledby={`${testId}-title`}
        aria-rowcount={rows.length + 1}
        aria-activedescendant={activeElementId}
        ref={scroller}
        onScroll={(event) => setView({ top: event.currentTarget.scrollTop, height: event.currentTarget.clientHeight })}
        onKeyDown={onKeyDown}
        onClick={onClick}
      >
        <div role="rowgroup" class="rows-head">
          <div role="row" aria-rowindex={1} class="row">
            {columns.map((column) => (
              <span role="columnheader" key={column}>
                {column}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="rows-all" style={{ height: `${rows.length * rowHeight}px` }}>
          <div
            key={base}
            role="presentation"
            class="rows-seen"
            style={{ transform: `translateY(${(rows.added - base) * rowHeight}px)` }}
          >
            {drawn}
          </div>
        </div>
      </div>
      {rows.length === 0 && <p class="pane-empty">{words.lists.empty}</p>}
      {top >= rowHeight && (
        <button type="button" class="to-newest" onClick={() => scroller.current!.scrollTo({ top: 0 })}>
          ↑ {words.lists.toNewest}
        </button>
      )}
    </section>
  );
}
