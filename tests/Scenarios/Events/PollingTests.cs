using System.Net;
using System.Net.Sockets;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Events;

/// <summary>Tests that an event loop of the program can poll libusb's descriptors.</summary>
public sealed class PollingTests : BusTest
{
    [BusFact]
    public void Opening_and_closing_change_the_descriptors()
    {
        var added = new List<UsbPollFd>();
        var removed = new List<int>();
        int before = Context.GetPollFds().Length;
        Assert.True(before > 0);
        Assert.True(Context.PollFdsHandleTimeouts);
        Assert.Null(Context.GetNextTimeout());
        Context.SetPollFdNotifiers(added.Add, removed.Add);
        UsbDeviceHandle handle = Open(new BulkLoopback());
        UsbPollFd node = Assert.Single(added);
        Assert.Equal(UsbPollEvents.Out, node.Events);
        Assert.Contains(node, Context.GetPollFds());
        Assert.Equal(before + 1, Context.GetPollFds().Length);
        handle.Dispose();
        Assert.Equal([node.FileDescriptor], removed);
        Context.SetPollFdNotifiers(null, null);
        Open(new BulkLoopback()).Dispose();
        Assert.Single(added);
    }

    [BusFact]
    public void One_loop_serves_USB_and_sockets()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int socket = (int)listener.Server.Handle;
        var source = new InterruptSource();
        using var poller = new UsbPoller(Context, new UsbSystemPoller());
        using UsbDeviceHandle handle = Open(source); // a notifier adds the descriptor to the existing poller
        poller.Register(socket, UsbPollEvents.In);
        foreach (UsbPollFd usb in Context.GetPollFds())
        {
            Assert.Throws<ArgumentException>(() => poller.Register(usb.FileDescriptor, UsbPollEvents.In));
            Assert.Throws<ArgumentException>(() => poller.Unregister(usb.FileDescriptor));
        }

        var reports = new List<byte>();
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetInterrupt(InterruptSource.EndpointAddress, 8, t =>
        {
            reports.Add(t.Data[0]);
            if (reports.Count < 2)
                t.Submit();
        });
        transfer.Submit();

        var others = new UsbPollFd[4];
        source.Report([1]);
        Poll(() => reports.Count == 1, expectSocket: false);
        using var client = new TcpClient();
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        Poll(() => listener.Pending(), expectSocket: true);
        using Socket accepted = listener.AcceptSocket();
        source.Report([2]);
        Poll(() => reports.Count == 2, expectSocket: false);
        Assert.Equal([1, 2], reports);
        poller.Unregister(socket);
        Assert.Equal(0, poller.Poll(others, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => poller.Poll(others, TimeSpan.FromSeconds(-1)));
        poller.Dispose();
        Assert.Throws<ObjectDisposedException>(() => poller.Poll(others, TimeSpan.Zero));

        void Poll(Func<bool> done, bool expectSocket)
        {
            bool sawSocket = false;
            while (!done() || (expectSocket && !sawSocket))
            {
                int count = poller.Poll(others, Patience);
                for (int i = 0; i < count; i++)
                {
                    Assert.Equal(socket, others[i].FileDescriptor);
                    Assert.Equal(UsbPollEvents.In, others[i].Events);
                    sawSocket = true;
                }
            }

            Assert.Equal(expectSocket, sawSocket);
        }
    }

    [BusFact]
    public void A_timeout_of_a_transfer_ends_the_poll()
    {
        using UsbDeviceHandle handle = Open(new BulkLoopback());
        using var poller = new UsbPoller(Context, new UsbSystemPoller());
        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(BulkLoopback.InAddress, 512, timeout: TimeSpan.FromMilliseconds(20));
        transfer.Submit();
        while (transfer.IsSubmitted)
            poller.Poll([], timeout: null); // only libusb's timer ends this call
        Assert.Equal(UsbTransferStatus.TimedOut, transfer.Status);
    }
}
