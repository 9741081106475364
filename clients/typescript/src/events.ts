// Made from contract/schemas by generate.mjs.

/** The digits of a number as its producer sent them: `0.10` stays `0.10`. */
export type Decimal = string;

/** The payload of a new_trade_signal (protocol 5). Members that are not listed are passed on unchanged. */
export interface NewTradeSignal {
  /** Unique. */
  signal_id: string;
  /** For example BTC/USDT. */
  instrument_id: string;
  direction: 'BUY' | 'SELL';
  /** Any decimal: zero and negative prices exist in some markets. */
  entry_price: Decimal;
  /** A price. */
  stop_loss: Decimal;
  /** One price or more. */
  take_profit: [Decimal, ...Decimal[]];
  /** For example AnalystAgent-001. */
  source_agent_id: string;
  /** 0.0 to 1.0. */
  confidence?: Decimal;
}

/** The payload of an order_update (protocol 5). Members that are not listed are passed on unchanged. */
export interface OrderUpdate {
  order_id: string;
  /** The name the client gave the order. */
  client_order_id?: string;
  /** For example BTC/USDT. */
  instrument_id: string;
  /** Nothing follows one of the last four. */
  status: 'SUBMITTED' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'REJECTED' | 'EXPIRED';
  side: 'BUY' | 'SELL';
  type: 'LIMIT' | 'MARKET';
  /** More than 0. */
  quantity_total: Decimal;
  /** 0 to quantity_total; the upper bound is not for a schema to say. */
  quantity_filled: Decimal;
  /** A price. */
  price_avg_filled?: Decimal;
  /** Why an order was REJECTED or EXPIRED. */
  reason_failed?: string;
}

/** The payload of a system_alert (protocol 5). Members that are not listed are passed on unchanged. */
export interface SystemAlert {
  alert_id: string;
  level: 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';
  message: string;
  /** What the alert is about. */
  component?: string;
}
