import { useState } from 'preact/hooks';
import type { Board } from '../state/board.ts';
import type { AlertNotification, Notification, SignalNotification } from '../state/notifications.ts';
import type { OrderRow } from '../state/orders.ts';
import { Announcer } from './announcer.tsx';
import { Details } from './details.tsx';
import { memo } from './memo.ts';
import { RowList, type Listing } from './row_list.tsx';
import { timeOfDay } from './times.ts';
import { useWords, wordFor, type Dictionary } from './words.ts';

interface CellsOf<Row> {
  readonly row: Row;
  readonly words: Dictionary;
}

function Marks({ of, words }: { of: Notification; words: Dictionary }) {
  return (
    <span role="gridcell" class="marks">
      {of.late && (
        <i class="mark mark-late" title={words.marks.lateHelp}>
          {words.marks.late}
        </i>
      )}
      {of.replayed && (
        <i class="mark" title={words.marks.replayedHelp}>
          {words.marks.replayed}
        </i>
      )}
      {of.snapshot && (
        <i class="mark" title={words.marks.snapshotHelp}>
          {words.marks.snapshot}
        </i>
      )}
    </span>
  );
}

const Time = ({ of }: { of: Notification }) => (
  <time role="gridcell" dateTime={of.timestamp} title={of.timestamp}>
    {timeOfDay(of.timestamp, true)}
  </time>
);

const Side = ({ side, words }: { side: 'BUY' | 'SELL'; words: Dictionary }) => (
  <span role="gridcell" class={side === 'BUY' ? 'buy' : 'sell'}>
    {side === 'BUY' ? '▲' : '▼'} {wordFor(words.sides, side)}
  </span>
);

const Text = ({ children, kind, field }: { children: string | undefined; kind?: string; field: string }) => (
  <span role="gridcell" class={kind} title={children} data-field={field}>
    {children}
  </span>
);

const SignalCells = memo(({ row, words }: CellsOf<SignalNotification>) => {
  const { payload } = row;
  return (
    <>
      <Time of={row} />
      <Text field="instrument" kind="strong">
        {payload.instrument_id}
      </Text>
      <Side side={payload.direction} words={words} />
      <Text field="entry" kind="number">
        {payload.entry_price}
      </Text>
      <Text field="stop" kind="number">
        {payload.stop_loss}
      </Text>
      <Text field="targets" kind="number">
        {payload.take_profit.join(' · ')}
      </Text>
      <Text field="confidence" kind="number">
        {payload.confidence}
      </Text>
      <Text field="agent" kind="muted">
        {payload.source_agent_id}
      </Text>
      <Marks of={row} words={words} />
    </>
  );
});

const OrderCells = memo(({ row, words }: CellsOf<OrderRow>) => {
  const { payload } = row.latest;
  // A row that is only scrolled into view has nothing to point out.
  const hasJustChanged = Date.now() - row.at < 1000;
  const status = row.hasEndedUnseen ? words.endedUnseen : wordFor(words.statuses, payload.status);
  return (
    <>
      <Time of={row.latest} />
      <span role="gridcell" class="strong tail" title={payload.order_id}>
        <span data-field="order">{payload.order_id}</span>
      </span>
      <Text field="instrument">{payload.instrument_id}</Text>
      <Side side={payload.side} words={words} />
      <Text field="type" kind="muted">
        {wordFor(words.types, payload.type)}
      </Text>
      <span role="gridcell">
        <b
          key={row.updates}
          class={hasJustChanged ? 'status changed' : 'status'}
          data-field="status"
          title={row.hasEndedUnseen ? words.endedUnseenHelp : undefined}
        >
          {status}
        </b>
      </span>
      <span role="gridcell" class="number filled">
        {/* Another number is another element: one that ends where it did, and begins elsewhere, has not moved. */}
        <span key={payload.quantity_filled} data-field="filled">
          {payload.quantity_filled}
        </span>
        {/* For the eye only: a share needs no exact digits. */}
        <i
          class="share"
          style={{ transform: `scaleX(${shareFilled(payload.quantity_filled, payload.quantity_total)})` }}
        />
      </span>
      <Text field="total" kind="number">
        {payload.quantity_total}
      </Text>
      <span role="gridcell" class="number">
        <span key={payload.price_avg_filled} data-field="average">
          {payload.price_avg_filled}
        </span>
      </span>
      <Text field="reason" kind="muted">
        {payload.reason_failed}
      </Text>
      <Marks of={row.latest} words={words} />
    </>
  );
});

function shareFilled(filled: string, total: string): number {
  const share = Number(filled) / Number(total);
  return share >= 0 && share <= 1 ? share : 0;
}

const AlertCells = memo(({ row, words }: CellsOf<AlertNotification>) => {
  const { payload } = row;
  return (
    <>
      <Time of={row} />
      <span role="gridcell">
        <b class="level" data-field="level">
          {wordFor(words.levels, payload.level)}
        </b>
      </span>
      <span role="gridcell" class="message" title={payload.message}>
        <span class="two-lines" data-field="message">
          {payload.component && <span class="muted">{payload.component} · </span>}
          {payload.message}
        </span>
      </span>
      <Marks of={row} words={words} />
    </>
  );
});

const signals: Listing<SignalNotification> = {
  testId: 'signals',
  rowHeight: 28,
  idOf: (row) => row.id,
  kindOf: (row) => row.payload.direction,
  Cells: SignalCells,
};

const orders: Listing<OrderRow> = {
  testId: 'orders',
  rowHeight: 28,
  idOf: (row) => row.id,
  kindOf: (row) => (row.hasEndedUnseen ? 'ENDED_UNSEEN' : row.latest.payload.status),
  Cells: OrderCells,
};

const alerts: Listing<AlertNotification> = {
  testId: 'alerts',
  rowHeight: 44, // two lines of a message
  idOf: (row) => row.id,
  kindOf: (row) => row.payload.level,
  Cells: AlertCells,
};

/** The three live panes. Drawn by the page at each frame in which something changed. */
export function Panes({ board }: { board: Board }) {
  const words = useWords();
  const [open, setOpen] = useState<{ notification: Notification; updates?: number }>();
  const { columns } = words;
  return (
    <div class="panes">
      <RowList
        listing={orders}
        rows={board.orders}
        title={words.orders}
        columns={[
          columns.time,
          columns.order,
          columns.instrument,
          columns.side,
          columns.type,
          columns.status,
          columns.filled,
          columns.total,
          columns.average,
          columns.reason,
          columns.marks,
        ]}
        onOpen={(row) => setOpen({ notification: row.latest, updates: row.updates })}
      />
      <RowList
        listing={signals}
        rows={board.signals}
        title={words.signals}
        columns={[
          columns.time,
          columns.instrument,
          columns.direction,
          columns.entry,
          columns.stop,
          columns.targets,
          columns.confidence,
          columns.agent,
          columns.marks,
        ]}
        onOpen={(notification) => setOpen({ notification })}
      />
      <RowList
        listing={alerts}
        rows={board.alerts}
        title={words.alerts}
        columns={[columns.time, columns.level, columns.message, columns.marks]}
        onOpen={(notification) => setOpen({ notification })}
      />
      <Announcer board={board} />
      {open && <Details notification={open.notification} updates={open.updates} onClose={() => setOpen(undefined)} />}
    </div>
  );
}
