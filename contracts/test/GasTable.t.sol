// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICustody, IJobsTypes} from "./World.sol";
import {DisputesWorld} from "./Disputes.t.sol";

/// @dev What the calls cost, without a transaction's 21000 and call data, from cold storage: docs/contracts.md has the table.
contract GasTableTest is DisputesWorld {
    event Measured(string what, uint256 gas);

    /// @dev Bounds with some room, so that a call that has become dear is seen.
    function call(address from, address target, uint256 value, bytes memory data, string memory what, uint256 most) private {
        for (uint160 a = 0x1001; a <= 0x1008; a++) vm.cool(address(a));
        vm.deal(from, from.balance + value);
        vm.prank(from);
        uint256 gas = gasleft();
        (bool ok,) = target.call{value: value}(data);
        gas -= gasleft();
        yes(ok, what);
        emit Measured(what, gas);
        yes(gas <= most, what);
    }

    function sealCall(uint256 job, uint256 i, bytes32 root, string memory what, uint256 most) private {
        bytes32 c = jobs.commitmentOf(job, owner(i), root, 0, 0, SALT);
        call(worker(i), address(jobs), 0, abi.encodeCall(jobs.seal, (job, c)), what, most);
    }

    function revealCall(uint256 job, uint256 i, bytes32 root, string memory what, uint256 most) private {
        call(worker(i), address(jobs), 0, abi.encodeCall(jobs.reveal, (job, root, 0, 0, 4096, USED, SALT)), what, most);
    }

    function submitCall(uint8 replicas, string memory what, uint256 most) private returns (uint256) {
        IJobsTypes.Spec memory s = specOf(replicas);
        call(renter(0), address(jobs), priceOf(s), abi.encodeCall(jobs.submit, (s)), what, most);
        return jobs.jobCount();
    }

    function test_one_replica() public {
        market(1);
        uint256 job = submitCall(1, "submit, 1 replica", 600_000);
        sealCall(job, 0, ROOT, "seal, the last", 130_000);
        revealCall(job, 0, ROOT, "reveal, the last of 1: to be audited", 330_000);
        drawAudit(job, NEWCOMER_BPS, true);
        pass(1);
        address who = bench(job)[0];
        bytes32 c = disputes.commitmentOf(job, 0, who, ROOT, 0, 0, SALT);
        call(who, address(disputes), 0, abi.encodeCall(disputes.sealVerdict, (job, c)), "sealVerdict, the last", 170_000);
        call(
            who, address(disputes), 0, abi.encodeCall(disputes.revealVerdict, (job, ROOT, 0, 0, SALT)),
            "revealVerdict, an auditor: pays", 700_000
        );
        isState(job, IJobsTypes.State.Agreed);
    }

    function test_three_replicas() public {
        market(3);
        uint256 job = submitCall(3, "submit, 3 replicas", 1_000_000);
        for (uint256 i = 0; i < 3; i++) sealCall(job, i, ROOT, i == 2 ? "seal, the last" : "seal", 130_000);
        for (uint256 i = 0; i < 3; i++) revealCall(job, i, ROOT, i == 2 ? "reveal, the last of 3: pays" : "reveal", 1_000_000);
        call(
            DOUBTER, address(jobs), jobs.challengeBond(job), abi.encodeCall(jobs.challenge, (job)), "challenge", 350_000
        );
        bytes memory leaf = new bytes(4096);
        leaf[0] = 0x01;
        call(
            renter(0), address(custody), DEMAND_BOND,
            abi.encodeCall(custody.demand, (job, 0, ICustody.Kind.Result, 0)), "demand", 400_000
        );
    }

    function test_seven_replicas() public {
        market(7);
        uint256 job = submitCall(7, "submit, 7 replicas", 2_000_000);
        for (uint256 i = 0; i < 7; i++) sealCall(job, i, i == 3 ? LIE : ROOT, i == 6 ? "seal, the last" : "seal", 130_000);
        for (uint256 i = 0; i < 7; i++) {
            revealCall(job, i, i == 3 ? LIE : ROOT, i == 6 ? "reveal, the last of 7: disputed" : "reveal", 1_100_000);
        }
        pass(1);
        address[] memory who = bench(job);
        for (uint256 i = 0; i < 3; i++) {
            bytes32 c = disputes.commitmentOf(job, 0, who[i], ROOT, 0, 0, SALT);
            bytes memory data = abi.encodeCall(disputes.sealVerdict, (job, c));
            call(who[i], address(disputes), 0, data, i == 2 ? "sealVerdict, the last" : "sealVerdict", 170_000);
        }
        for (uint256 i = 0; i < 3; i++) {
            bytes memory data = abi.encodeCall(disputes.revealVerdict, (job, ROOT, 0, 0, SALT));
            call(who[i], address(disputes), 0, data, i == 2 ? "revealVerdict, the last" : "revealVerdict", 250_000);
        }
        call(
            DOUBTER, address(disputes), disputes.appealBond(job), abi.encodeCall(disputes.appeal, (job)), "appeal", 300_000
        );
    }

    function test_seven_that_agree() public {
        market(7);
        uint256 job = submitCall(7, "submit, 7 replicas", 2_000_000);
        for (uint256 i = 0; i < 7; i++) seal(job, i, ROOT, 0);
        for (uint256 i = 0; i < 6; i++) reveal(job, i, ROOT, 0, USED);
        revealCall(job, 6, ROOT, "reveal, the last of 7: pays", 2_000_000);
    }

    /// @dev 4096 bytes of 2^20 leaves: a path of 20.
    function test_an_answer_from_a_gigabyte_of_four() public {
        market(1);
        bytes memory leaf = new bytes(4096);
        for (uint256 i = 0; i < 4096; i++) leaf[i] = bytes1(uint8(1 + i % 255));
        bytes32[] memory path = new bytes32[](20);
        bytes32 node = sha256(abi.encodePacked(bytes1(0), leaf));
        for (uint256 i = 0; i < 20; i++) {
            path[i] = keccak256(abi.encode(i));
            node = sha256(abi.encodePacked(bytes1(0x01), node, path[i]));
        }
        uint64 size = 4096 << 20;
        bytes32 root = sha256(abi.encodePacked(bytes1(0x02), size, node));
        uint256 job = submit(specOf(1));
        seal(job, 0, root, 0);
        vm.prank(worker(0));
        jobs.reveal(job, root, 0, 0, size, USED, SALT);
        noAudit(job);
        vm.deal(renter(0), DEMAND_BOND);
        vm.prank(renter(0));
        uint256 id = custody.demand{value: DEMAND_BOND}(job, 0, ICustody.Kind.Result, 0);
        bytes memory data = abi.encodeCall(custody.answer, (id, leaf, path));
        emit Measured("answer: call data", data.length);
        call(worker(0), address(custody), 0, data, "answer, a leaf of 4 GiB", 250_000);
    }
}
