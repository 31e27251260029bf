namespace Native.LibUsb.Streaming;

/// <summary>Specifies whether a thread is calling the handler of an output ring. The state changes only under the ring's lock.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>State</term><description>Next states</description></listheader>
/// <item><term>Idle</term><description>When a transfer ends: Asking.</description></item>
/// <item><term>Filling</term><description>When the queue is full or the handler has no more data: Asking. The ring then submits the filled buffers. No
/// transfer ends in the state Filling, because no transfer is in flight.</description></item>
/// <item><term>Asking</term><description>When a transfer ends: AskingAgain. When the queue is full or the handler has no more data: Idle.</description></item>
/// <item><term>AskingAgain</term><description>When a transfer ends: AskingAgain. When the queue is full or the handler has no more data: Idle if a transfer is
/// in flight, otherwise Asking.</description></item>
/// </list>
/// <para>A ring without a handler stays in the state Idle.</para>
/// </remarks>
internal enum ProducerState
{
    /// <summary>No thread calls the handler.</summary>
    Idle,

    /// <summary>
    /// The method Start calls the handler until the queue is full or the handler has no more data. Start submits the filled buffers only after that. If Start
    /// submitted each buffer immediately, a device could take buffers as fast as the handler fills them, and Start would not return.
    /// </summary>
    Filling,

    /// <summary>A thread calls the handler.</summary>
    Asking,

    /// <summary>
    /// A thread is calling the handler, and a transfer has ended since the call began. The callback of this transfer did not call the handler. If no transfer
    /// is in flight, no later callback follows, so the thread must call the handler again.
    /// </summary>
    AskingAgain,
}
