namespace Native.LibUsb;

/// <summary>
/// Represents a transfer callback that calls a different function for each status with which a transfer can end. If the function returns true, the helper
/// submits the transfer again. One helper can serve any number of transfers.
/// </summary>
/// <example>
/// <code>
/// var helper = new UsbTransferHelper();
/// helper[UsbTransferStatus.Completed] = transfer => { Use(transfer.Data); return true; };
/// helper[UsbTransferStatus.TimedOut] = static _ => true;
/// transfer.SetInterrupt(0x81, 64, helper.Callback);
/// </code>
/// </example>
public sealed class UsbTransferHelper
{
    private const int StatusCount = 7;

    private readonly Func<UsbTransfer, bool>?[] _callbacks = new Func<UsbTransfer, bool>?[StatusCount];

    /// <summary>Initializes a helper without functions. Such a helper submits no transfer again.</summary>
    public UsbTransferHelper() => Callback = Invoke;

    /// <summary>
    /// Occurs when a transfer could not be submitted again. The second argument is the exception that describes the error. The event is raised on the thread
    /// that runs the callback. If the event has no subscriber, the callback throws this exception; see <see cref="UsbContext.UnhandledCallbackException"/>. The
    /// event is not raised if the transfer was doomed or disposed, or while its interface, its handle or the context is closing.
    /// </summary>
    public event Action<UsbTransfer, UsbException>? ResubmitFailed;

    /// <summary>Gets the callback to set on a transfer. The property always returns the same delegate.</summary>
    public Action<UsbTransfer> Callback { get; }

    /// <summary>
    /// Gets or sets the function that the helper calls if the indexer has no function for the transfer's status. If this property is also null, the helper does
    /// not submit the transfer again.
    /// </summary>
    public Func<UsbTransfer, bool>? Default { get; set; }

    /// <summary>
    /// Gets or sets the function for one status. If the function is null, the helper calls <see cref="Default"/>. The function returns whether to submit the
    /// transfer again.
    /// </summary>
    /// <param name="status">How the transfer ended.</param>
    /// <exception cref="ArgumentOutOfRangeException">The value is not a status.</exception>
    public Func<UsbTransfer, bool>? this[UsbTransferStatus status]
    {
        get => _callbacks[Index(status)];
        set => _callbacks[Index(status)] = value;
    }

    /// <summary>Calls the function for the transfer's status, and submits the transfer again if the function returns true.</summary>
    /// <param name="transfer">A transfer that has ended.</param>
    /// <exception cref="ArgumentNullException"><paramref name="transfer"/> is null.</exception>
    /// <exception cref="UsbException">The transfer could not be submitted again, and no handler is subscribed to <see cref="ResubmitFailed"/>.</exception>
    public void Invoke(UsbTransfer transfer)
    {
        ArgumentNullException.ThrowIfNull(transfer);
        int status = (int)transfer.Status;
        Func<UsbTransfer, bool>? callback = ((uint)status < StatusCount ? _callbacks[status] : null) ?? Default;
        if (callback is null || !callback(transfer))
            return;
        try
        {
            transfer.Submit();
        }
        catch (UsbException failure) when (ResubmitFailed is { } subscribers)
        {
            subscribers(transfer, failure);
        }
        catch (Exception stopped) when (stopped is UsbTransferDoomedException or ObjectDisposedException)
        {
            // The transfer was doomed, so it is not submitted again. Outside callbacks, the transfer may also have been disposed.
        }
    }

    private static int Index(UsbTransferStatus status)
    {
        if ((uint)status >= StatusCount)
            throw new ArgumentOutOfRangeException(nameof(status), status, "The value is not a status of a transfer.");
        return (int)status;
    }
}
