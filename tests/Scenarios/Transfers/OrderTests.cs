using System.Threading.Channels;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Transfers;

/// <summary>Tests that a consumer on a thread other than the event thread receives the data of several transfers in order.</summary>
public sealed class OrderTests : BusTest
{
    private const int InFlight = 8;

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Data_of_several_transfers_arrives_in_order_at_a_consumer_on_another_thread(bool isochronous)
    {
        int packets = Rounds.Of(20_000);
        using UsbDeviceHandle handle = isochronous ? OpenIsochronous() : OpenBulk();
        var queue = Channel.CreateUnbounded<byte[]>();
        bool stopped = false;
        void Read(UsbTransfer transfer)
        {
            if (isochronous)
            {
                foreach (UsbIsoPacket packet in transfer.IterIso())
                    queue.Writer.TryWrite(packet.Data.ToArray());
            }
            else
            {
                queue.Writer.TryWrite(transfer.Data.ToArray());
            }

            if (!Volatile.Read(ref stopped))
                transfer.Submit();
        }

        var transfers = new List<UsbTransfer>();
        for (int i = 0; i < InFlight; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer(isoPackets: 16);
            if (isochronous)
                transfer.SetIsochronous(IsoSource.EndpointAddress, 512, Read);
            else
                transfer.SetBulk(NumberedSource.EndpointAddress, 512, Read);
            transfers.Add(transfer);
        }

        using UsbEventThread events = Context.StartEventThread();
        transfers.ForEach(transfer => transfer.Submit());
        NumberedPatternChecker checker = await Task.Run(async () =>
        {
            var checker = new NumberedPatternChecker(0);
            while (checker.Packets < packets)
                checker.AddPacket(await queue.Reader.ReadAsync().AsTask().WaitAsync(Patience));
            return checker;
        });
        Volatile.Write(ref stopped, true);
        handle.Dispose();
        Assert.True(checker.IsPerfect, checker.ToString());
    }

    private UsbDeviceHandle OpenIsochronous()
    {
        UsbDeviceHandle handle = Open(new IsoSource(new IsoSourceOptions { Paced = false }));
        handle.ClaimInterface(0).SetAlternateSetting(1);
        return handle;
    }

    private UsbDeviceHandle OpenBulk()
    {
        var device = new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                    new EndpointDescription(NumberedSource.EndpointAddress, EndpointKind.Bulk, 512)))),
            ],
        });
        device.Add(new NumberedSource());
        return Open(device);
    }

    /// <summary>Represents an endpoint that immediately completes each transfer with the next numbered packet.</summary>
    private sealed class NumberedSource() : VirtualEndpoint(EndpointAddress)
    {
        public const byte EndpointAddress = 0x81;

        private ulong _next;

        protected override void OnSubmit(VirtualUrb urb)
        {
            NumberedPattern.Fill(urb.Buffer, _next++);
            urb.Complete(urb.Length);
        }
    }
}
