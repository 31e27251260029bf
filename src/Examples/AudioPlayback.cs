// Sound at 44.1 kHz: a packet's millisecond has no whole number of frames, and the device's clock is not the computer's. A feedback endpoint reports how many
// frames the device wants per packet, and the program sends as many. Needs an asynchronous audio device at full speed, such as "audio" of usbvbus.

using System.Buffers.Binary;
using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Examples;

internal static class AudioPlayback
{
    private const byte SoundOut = 0x01, FeedbackIn = 0x81;
    private const int AlternateSetting = 1, SampleRate = 44_100, FrameSize = 4; // two samples of 16 bits
    private const int Fraction = 14; // a report has frames per packet, with 14 bits after the point
    private const int PacketsPerTransfer = 8, FeedbackSize = 3;

    public static async Task RunAsync(ushort vendor, ushort product, int seconds, TextWriter output)
    {
        await using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        await using UsbDeviceHandle handle = device.Open();
        await using UsbInterface claimed = handle.ClaimInterface(0);
        claimed.SetAlternateSetting(AlternateSetting);

        int framesPerPacket = (int)(((long)SampleRate << Fraction) / 1000); // until the device reports
        long reports = 0;
        await using UsbInputRing feedback = claimed.GetEndpoint(FeedbackIn).CreateInputRing(new UsbRingOptions { PacketsPerTransfer = 1, Transfers = 4 });
        feedback.Start(buffer =>
        {
            foreach (UsbRingPacket packet in buffer.Packets)
            {
                if (packet.Status != UsbTransferStatus.Completed || packet.Data.Length != FeedbackSize)
                    continue; // the next report replaces it
                Volatile.Write(ref framesPerPacket, BinaryPrimitives.ReadUInt16LittleEndian(packet.Data) | (packet.Data[2] << 16));
                Interlocked.Increment(ref reports);
            }
        });

        // A report has an effect when the transfers in the queue have been sent: a short queue follows the device closely, a long one bridges longer pauses of the program.
        await using UsbOutputRing sound = claimed.GetEndpoint(SoundOut)
            .CreateOutputRing(new UsbRingOptions { PacketsPerTransfer = PacketsPerTransfer, Transfers = 4, Spares = 1 });
        sound.Start();
        output.WriteLine($"Playing {seconds} s at {SampleRate} Hz, {PacketsPerTransfer} packets of up to {sound.PacketSize} bytes in a transfer");

        int[] lengths = new int[PacketsPerTransfer];
        long frames = 0, packets = 0;
        int owed = 0; // the part of a frame that is due
        while (frames < (long)seconds * SampleRate)
        {
            UsbOutputBuffer buffer = await sound.AcquireAsync();
            int length = 0;
            for (int i = 0; i < lengths.Length; i++)
            {
                owed += Volatile.Read(ref framesPerPacket);
                int due = owed >> Fraction;
                owed -= due << Fraction;
                lengths[i] = Math.Min(due * FrameSize, sound.PacketSize);
                length += lengths[i];
            }

            WriteSound(buffer.Span[..length], frames);
            buffer.Commit(lengths);
            frames += length / FrameSize;
            packets += lengths.Length;
        }

        await sound.FlushAsync();
        output.WriteLine($"Played {frames} frames in {packets} packets, {(Interlocked.Read(ref reports) > 0 ? "at the rate of the device" : "without a report of the device")}");
    }

    // A frame consists of its number and the complement of that, so that a device can detect frames that are lost, repeated or mixed up.
    private static void WriteSound(Span<byte> sound, long frame)
    {
        for (; !sound.IsEmpty; sound = sound[FrameSize..], frame++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(sound, (ushort)frame);
            BinaryPrimitives.WriteUInt16LittleEndian(sound[2..], (ushort)~frame);
        }
    }
}
