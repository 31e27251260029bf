namespace Native.LibUsb.Streaming;

/// <summary>Specifies which thread calls the handler of an output ring for data. Changed under the ring's lock.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>State</term><description>A transfer comes back; the handler has no more</description></listheader>
/// <item><term>Idle</term><description>Asking; -</description></item>
/// <item><term>Filling</term><description>- (none is in flight); Asking, while the filled buffers are submitted</description></item>
/// <item><term>Asking</term><description>AskingAgain; Idle</description></item>
/// <item><term>AskingAgain</term><description>the same; Idle, or Asking if none is in flight</description></item>
/// </list>
/// <para>A ring without a handler stays idle.</para>
/// </remarks>
internal enum ProducerState
{
    /// <summary>No thread calls the handler.</summary>
    Idle,

    /// <summary>
    /// Start has the handler fill the whole queue, and nothing is submitted before. Otherwise a device that takes buffers as fast as they are filled would keep
    /// the caller of Start there until it stops taking them.
    /// </summary>
    Filling,

    /// <summary>A thread calls the handler.</summary>
    Asking,

    /// <summary>As <see cref="Asking"/>; a transfer has come back in the meantime, and its thread has left the work to the thread that calls the handler.</summary>
    AskingAgain,
}
