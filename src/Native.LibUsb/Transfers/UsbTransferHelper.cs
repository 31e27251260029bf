namespace Native.LibUsb;

/// <summary>
/// Represents a callback made of one function for each way a transfer can end. A function that returns true has the transfer submitted again.
/// One helper may serve any number of transfers.
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

    /// <summary>Makes a helper that submits nothing again until functions are set.</summary>
    public UsbTransferHelper() => Callback = Invoke;

    /// <summary>
    /// The transfer could not be submitted again; the argument says why. Raised on the thread that runs the callback. Without a subscriber the
    /// failure is thrown, as any exception of a callback; see <see cref="UsbContext.UnhandledCallbackException"/>. A transfer that was doomed
    /// or disposed in the meantime, or whose handle is closing, is no failure.
    /// </summary>
    public event Action<UsbTransfer, UsbException>? ResubmitFailed;

    /// <summary>Gets the callback for a transfer; always the same delegate.</summary>
    public Action<UsbTransfer> Callback { get; }

    /// <summary>Gets or sets the function for every status that has no function of its own; if it is null, a transfer with such a status is not submitted again.</summary>
    public Func<UsbTransfer, bool>? Default { get; set; }

    /// <summary>Gets the function for one status; null leaves it to <see cref="Default"/>. It returns whether to submit the transfer again.</summary>
    /// <param name="status">How the transfer ended.</param>
    /// <exception cref="ArgumentOutOfRangeException">That is no status.</exception>
    public Func<UsbTransfer, bool>? this[UsbTransferStatus status]
    {
        get => _callbacks[Index(status)];
        set => _callbacks[Index(status)] = value;
    }

    /// <summary>Calls the function for the transfer's status, and submits the transfer again when it returns true.</summary>
    /// <param name="transfer">A transfer that has ended.</param>
    /// <exception cref="ArgumentNullException"><paramref name="transfer"/> is null.</exception>
    /// <exception cref="UsbException">It could not be submitted again, and no handler is subscribed to <see cref="ResubmitFailed"/>.</exception>
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
            // it was doomed, or this is not called in a callback and something is closed: either way it stops
        }
    }

    private static int Index(UsbTransferStatus status)
    {
        if ((uint)status >= StatusCount)
            throw new ArgumentOutOfRangeException(nameof(status), status, "There is no such status.");
        return (int)status;
    }
}
