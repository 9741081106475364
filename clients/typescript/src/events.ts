/** The digits of a number as its producer sent them: `0.10` stays `0.10`. */
export type Decimal = string;

export interface NewTradeSignal {
  signal_id: string;
  instrument_id: string;
  direction: 'BUY' | 'SELL';
  entry_price: Decimal;
  stop_loss: Decimal;
  take_profit: [Decimal, ...Decimal[]];
  source_agent_id: string;
  confidence?: Decimal;
}

export interface OrderUpdate {
  order_id: string;
  client_order_id?: string;
  instrument_id: string;
  status: 'SUBMITTED' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'REJECTED' | 'EXPIRED';
  side: 'BUY' | 'SELL';
  type: 'LIMIT' | 'MARKET';
  quantity_total: Decimal;
  quantity_filled: Decimal;
  price_avg_filled?: Decimal;
  reason_failed?: string;
}

export interface SystemAlert {
  alert_id: string;
  level: 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';
  message: string;
  component?: string;
}
