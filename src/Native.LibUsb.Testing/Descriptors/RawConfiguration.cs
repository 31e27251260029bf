using System.Buffers.Binary;

namespace Native.LibUsb.Testing;

/// <summary>
/// Reads the interfaces and endpoints of a configuration from its bytes. Like a host's kernel, the class accepts inconsistent bytes.
/// </summary>
/// <remarks>If a descriptor is longer than the remaining bytes, the class ignores this descriptor and stops reading. It ignores interfaces and endpoints with
/// invalid numbers. If two interface descriptors have the same number and setting, the class uses the first of these descriptors.</remarks>
internal static class RawConfiguration
{
    private const int Interface = 4, Endpoint = 5, Companion = 0x30, MaxInterfaces = 32;

    public static IReadOnlyList<InterfaceDescription> ReadInterfaces(ReadOnlySpan<byte> bytes)
    {
        // the interfaces in the order in which they appear, each with its settings
        List<(byte Number, SortedDictionary<byte, List<EndpointDescription>> Settings, Dictionary<byte, (byte, byte, byte)> Classes)> found = [];
        List<EndpointDescription>? endpoints = null;
        bool companionMayFollow = false;
        for (ReadOnlySpan<byte> rest = bytes; rest.Length >= 2 && rest[0] >= 2 && rest[0] <= rest.Length; rest = rest[rest[0]..])
        {
            ReadOnlySpan<byte> one = rest[..rest[0]];
            switch (one[1])
            {
                case Interface:
                    endpoints = null;
                    if (one.Length >= 9 && one[2] < MaxInterfaces)
                        endpoints = AddSetting(found, one);
                    companionMayFollow = false;
                    break;
                case Endpoint:
                    companionMayFollow = endpoints is not null && ReadEndpoint(one) is { } endpoint && !endpoints.Exists(e => e.Address == endpoint.Address);
                    if (companionMayFollow)
                        endpoints!.Add(ReadEndpoint(one)!);
                    break;
                case Companion when companionMayFollow && one.Length >= 6:
                    endpoints![^1] = WithCompanion(endpoints[^1], one);
                    companionMayFollow = false;
                    break;
            }
        }
        return [.. found.Select(i => new InterfaceDescription(i.Number, [.. Enumerable.Range(0, i.Settings.Keys.Max() + 1).Select(setting => Setting(i.Settings, i.Classes, (byte)setting))]))];
    }

    private static List<EndpointDescription>? AddSetting(
        List<(byte Number, SortedDictionary<byte, List<EndpointDescription>> Settings, Dictionary<byte, (byte, byte, byte)> Classes)> found, ReadOnlySpan<byte> descriptor)
    {
        byte number = descriptor[2], setting = descriptor[3];
        int index = found.FindIndex(i => i.Number == number);
        if (index < 0)
        {
            index = found.Count;
            found.Add((number, [], []));
        }
        if (found[index].Settings.ContainsKey(setting))
            return null;
        found[index].Classes[setting] = (descriptor[5], descriptor[6], descriptor[7]);
        return found[index].Settings[setting] = [];
    }

    private static AlternateSetting Setting(SortedDictionary<byte, List<EndpointDescription>> settings, Dictionary<byte, (byte Class, byte Subclass, byte Protocol)> classes, byte number)
    {
        (byte Class, byte Subclass, byte Protocol) = classes.GetValueOrDefault(number, ((byte)0xff, (byte)0, (byte)0));
        return new AlternateSetting([.. settings.GetValueOrDefault(number, [])]) { Class = Class, Subclass = Subclass, Protocol = Protocol };
    }

    /// <summary>Returns the endpoint. Null if the descriptor is too short or its address is invalid.</summary>
    private static EndpointDescription? ReadEndpoint(ReadOnlySpan<byte> descriptor)
    {
        if (descriptor.Length < 7 || (descriptor[2] & 0x70) != 0 || (descriptor[2] & 0x0f) == 0)
            return null;
        int size = BinaryPrimitives.ReadUInt16LittleEndian(descriptor[4..]);
        return new EndpointDescription(descriptor[2], (EndpointKind)(descriptor[3] & 3), Math.Min(size & 0x7ff, 1024))
        {
            SyncAndUsage = (byte)(descriptor[3] & 0x3c),
            Interval = descriptor[6],
            PacketsPerMicroframe = Math.Min((size >> 11) & 3, 2) + 1,
        };
    }

    private static EndpointDescription WithCompanion(EndpointDescription endpoint, ReadOnlySpan<byte> companion) => endpoint with
    {
        Burst = Math.Min((int)companion[2], 15) + 1,
        BurstsPerInterval = endpoint.Kind == EndpointKind.Isochronous ? Math.Min(companion[3] & 3, 2) + 1 : 1,
        MaxStreamsExponent = endpoint.Kind == EndpointKind.Bulk ? Math.Min(companion[3] & 0x1f, 16) : 0,
    };
}
