namespace Native.LibUsb.Streaming;

/// <summary>Specifies whether a thread calls the handler of an output ring. The state changes only under the ring's lock.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>State</term><description>Next state when a transfer ends; next state when the handler has no more data</description></listheader>
/// <item><term>Idle</term><description>Asking; does not occur</description></item>
/// <item><term>Filling</term><description>Does not occur, because no transfer is in flight; Asking while the ring submits the filled
/// buffers</description></item>
/// <item><term>Asking</term><description>AskingAgain; Idle</description></item>
/// <item><term>AskingAgain</term><description>AskingAgain; Idle, or Asking if no transfer is in flight</description></item>
/// </list>
/// <para>A ring without a handler stays in the state Idle.</para>
/// </remarks>
internal enum ProducerState
{
    /// <summary>No thread calls the handler.</summary>
    Idle,

    /// <summary>
    /// The method Start calls the handler to fill the whole queue, and submits nothing until the queue is full. Otherwise a device could take buffers as fast
    /// as the handler fills them, and Start would not return while the device does so.
    /// </summary>
    Filling,

    /// <summary>A thread calls the handler.</summary>
    Asking,

    /// <summary>
    /// A thread calls the handler, and another transfer has ended since that call began. The callback of that transfer has left its work to the thread that
    /// calls the handler.
    /// </summary>
    AskingAgain,
}
