namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests that the library frees the GC handles that it passes to libusb as user data. Other tests rely on the count of these handles, so this class also tests
/// that the library counts handles of every kind.
/// </summary>
public sealed class UserDataHandleTests : ClosingTest
{
    [BusFact]
    public void Each_kind_of_user_data_is_counted_and_is_freed_with_its_owner()
    {
        UserDataHandles.CollectForgotten();
        int before = UserDataHandles.Count;
        using (UsbTransfer transfer = Handle.CreateTransfer())
            Assert.Equal(before + 1, UserDataHandles.Count);
        Assert.Equal(before, UserDataHandles.Count);

        using var context = new UsbContext();
        context.RegisterHotplug(static notification => notification.Device.Dispose());
        Assert.Equal(before + 1, UserDataHandles.Count);
        context.SetPollFdNotifiers(static _ => { }, static _ => { });
        Assert.Equal(before + 2, UserDataHandles.Count);
        context.SetPollFdNotifiers(null, null);
        Assert.Equal(before + 2, UserDataHandles.Count); // libusb may still call the notifiers, so the handle is freed after libusb has exited
        context.Dispose();
        Assert.Equal(before, UserDataHandles.Count);
    }
}
