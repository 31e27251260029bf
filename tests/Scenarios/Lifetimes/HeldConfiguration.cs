using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Starts the configuration of a transfer, and ends the configuration when the test disposes this object. Without this class, a test could not prolong a
/// configuration, because the library configures a transfer without calling code of the program.
/// </summary>
internal sealed class HeldConfiguration : IDisposable
{
    private readonly UsbTransfer _transfer;

    public HeldConfiguration(UsbTransfer transfer)
    {
        _transfer = transfer;
        Assert.True(TryBeginSetting(transfer, ignored: 0));
    }

    public void Dispose() => EndSetting(_transfer);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern bool TryBeginSetting(UsbTransfer transfer, int ignored);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void EndSetting(UsbTransfer transfer);
}
